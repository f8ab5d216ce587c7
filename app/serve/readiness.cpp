#include "sshexec/app/serve/readiness.hpp"

#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace sshexec::app {

void notify_manager(const std::string& state) {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  const std::string path = variable != nullptr ? variable : "";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return;
  std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
  // unix(7): an abstract name begins with a NUL byte.
  if (path.front() == '@')
    address.sun_path[0] = '\0';
  const ssh::file_descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), length);
}

} // namespace sshexec::app
