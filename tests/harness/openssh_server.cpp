#include "sshexec/testing/openssh_server.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sshexec::testing {

namespace {

constexpr const char* sshd = "/usr/sbin/sshd";

} // namespace

openssh_server::openssh_server(const options& wanted)
  : real_server(make_program(wanted), wanted.address) {}

real_server::program openssh_server::make_program(const options& wanted) {
  const auto prepare = [wanted](const site& x) -> arguments {
    // Its place for privilege separation, which only a service manager would make.
    if (::geteuid() == 0)
      std::filesystem::create_directories("/run/sshd");
    std::ofstream file{x.directory + "/sshd_config"};
    file << wanted.configuration << "\nListenAddress " << x.address << "\nPort " << x.port
         << "\nHostKey " << x.directory << "/host_key\nAuthorizedKeysFile " << x.directory
         << "/authorized_keys\nPidFile none\nLogLevel " << wanted.log_level
         << "\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 1000\n"
            "PrintMotd no\n";
    return {sshd, "-D", "-f", x.directory + "/sshd_config", "-E", x.directory + "/log"};
  };
  return {.path = sshd,
          .package = "openssh-server",
          .prepare = prepare,
          .listening_sign = "Server listening on ",
          .connection_sign = "Connection from ",
          .authentication_sign = "Accepted publickey"};
}

} // namespace sshexec::testing
