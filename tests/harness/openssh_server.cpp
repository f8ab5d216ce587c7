#include "sshexec/testing/openssh_server.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sshexec::testing {

namespace {

constexpr const char* sshd = "/usr/sbin/sshd";

/// Whether the sshd at hand, which may be of any age, takes a line of configuration.
bool takes(const std::string& line, const std::string& host_key) {
  return run_program({"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>/dev/null", sshd, "-t", "-f",
                      "/dev/null", "-h", host_key, "-o", line})
         == 0;
}

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
    // Since 9.8 a client whose connections are cut is refused for a while, and all tests come from
    // one address.
    constexpr const char* no_penalties = "PerSourcePenalties no";
    static const bool has_penalties = takes(no_penalties, x.directory + "/host_key");
    if (has_penalties)
      file << no_penalties << '\n';
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
