#pragma once

#include "sshexec/testing/real_server.hpp"

#include <string>

namespace sshexec::testing {

/// A real Dropbear server, as on routers and other small machines (Debian packages dropbear-bin and
/// libnss-wrapper). It takes no environment variables, passes a signal on to the command's shell
/// alone, and version 2022.83 fails when several commands run at once on one connection: it refuses
/// some, or dies of an assertion of its own.
class dropbear_server : public real_server {
public:
  struct options {
    /// A loopback address to listen on.
    std::string address = "127.0.0.1";
    /// More options of dropbear(8).
    arguments more = {};
  };

  dropbear_server() : dropbear_server(options{}) {}

  explicit dropbear_server(const options& wanted);

private:
  static program make_program(const options& wanted);
};

} // namespace sshexec::testing
