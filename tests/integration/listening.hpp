#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace sshexec::test {

/// Whether somebody listens at a local socket, which is there a moment before.
inline bool is_listening(const std::string& socket) {
  const ssh::file_descriptor client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{AF_UNIX, {}};
  socket.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

} // namespace sshexec::test
