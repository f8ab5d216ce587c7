#include "bad_port.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace sshexec::test {

namespace {

sockaddr_in other_loopback(std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  ::inet_pton(AF_INET, bad_port::host, &result.sin_addr);
  result.sin_port = htons(port);
  return result;
}

} // namespace

bad_port::bad_port(kind what, std::uint16_t number)
  : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = other_loopback(number);
  // A port that is bound but not listened on is nobody else's, and refuses.
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::system_error(errno, std::generic_category(), "binding a loopback port");
  if (what == kind::unanswered)
    fill_queue(address);
}

void bad_port::fill_queue(const sockaddr_in& address) {
  ::listen(socket_.get(), 0);
  // A slow machine may answer late, but not several times in a row.
  for (int unanswered = 0; unanswered < 3;) {
    ssh::file_descriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    pollfd writable{client.get(), POLLOUT, 0};
    unanswered = ::poll(&writable, 1, 200) == 1 ? 0 : unanswered + 1;
    queued_.push_back(std::move(client));
  }
}

} // namespace sshexec::test
