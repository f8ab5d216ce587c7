#pragma once

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sshexec::testing {

/// An SSH server that breaks the connection protocol (RFC 4254) in ways that no library's server
/// can be made to: a process of its own on a free port of the loopback interface, which lets in
/// whoever has its client key, under any user name, and ends with this object. Its channels send
/// whatever the command line says, one message after another and at once; after the word "slowly"
/// each message waits until the client has read the one before. Lines it does not know are refused.
class hostile_peer {
public:
  /// Throws `std::runtime_error` when the peer does not start, such as when python3-asyncssh is not
  /// installed.
  hostile_peer();
  hostile_peer(const hostile_peer&) = delete;
  hostile_peer& operator=(const hostile_peer&) = delete;
  ~hostile_peer();

  [[nodiscard]] const std::string& host() const { return host_; }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Path of the private key that the peer accepts.
  [[nodiscard]] std::string client_key_file() const { return directory_.path() / "client_key"; }

private:
  temporary_directory directory_;
  std::string host_ = "127.0.0.1";
  /// The peer's stdout; it ends when this is closed.
  ssh::file_descriptor output_;
  pid_t process_ = 0;
  std::uint16_t port_ = 0;
};

} // namespace sshexec::testing
