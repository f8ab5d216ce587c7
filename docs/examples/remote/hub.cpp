/// A hub whose executor other processes may use, until its input ends.
///
///     hub CERTIFICATE KEY AUTHORITY

#include <sshexec/actors/executor.hpp>
#include <sshexec/actors/remote/networking.hpp>
#include <sshexec/actors/remote/publish_executor.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>

namespace {

struct hub_config : caf::actor_system_config {
  hub_config() {
    sshexec::register_messages(*this);
    sshexec::configure_networking(*this);
  }
};

int complain(const caf::error& reason) {
  std::cerr << "hub: " << sshexec::to_failure(reason).message << '\n';
  return EXIT_FAILURE;
}

int run(caf::actor_system& system, const sshexec::executor_actor& executor,
        const sshexec::tls_files& files) {
  sshexec::publish_settings wanted;
  wanted.address = {"127.0.0.1", 0};
  wanted.tls = files;
  wanted.on_refused = [](const std::string& who) { std::cerr << "refused " + who + '\n'; };
  const auto port = sshexec::publish_executor(system, executor, wanted);
  if (!port)
    return complain(port.error());
  std::cout << *port << std::endl;
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: hub CERTIFICATE KEY AUTHORITY\n";
    return EXIT_FAILURE;
  }
  hub_config config;
  caf::actor_system system{config};
  const auto executor = sshexec::spawn_executor(system, sshexec::settings{});
  if (!executor)
    return complain(executor.error());
  const int status = run(system, *executor, {argv[1], argv[2], argv[3]});
  caf::anon_send_exit(*executor, caf::exit_reason::user_shutdown);
  return status;
}
