#pragma once

#include "sshexec/testing/real_server.hpp"

#include <string>

namespace sshexec::testing {

/// A real OpenSSH server (Debian package openssh-server).
class openssh_server : public real_server {
public:
  struct options {
    /// A loopback address to listen on.
    std::string address = "127.0.0.1";
    /// Lines put before the others in sshd_config(5), so that they prevail.
    std::string configuration;
    /// As in sshd_config(5); below VERBOSE it counts nothing.
    std::string log_level = "VERBOSE";
  };

  openssh_server() : openssh_server(options{}) {}

  explicit openssh_server(const options& wanted);

private:
  static program make_program(const options& wanted);
};

} // namespace sshexec::testing
