/// Runs a command on a machine through a hub in another process.
///
///     client HUB-PORT CERTIFICATE KEY AUTHORITY HOSTNAME PORT

#include <sshexec/actors/remote/connect_executor.hpp>
#include <sshexec/actors/remote/networking.hpp>
#include <sshexec/messages/executor.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdlib>
#include <iostream>

namespace {

struct client_config : caf::actor_system_config {
  client_config() {
    sshexec::register_messages(*this);
    sshexec::configure_networking(*this);
  }
};

int complain(const caf::error& reason) {
  std::cerr << "client: " << sshexec::to_failure(reason).message << '\n';
  return EXIT_FAILURE;
}

std::uint16_t to_port(const char* text) {
  return static_cast<std::uint16_t>(std::atoi(text));
}

/// As with an executor of its own.
int run(caf::actor_system& system, const sshexec::executor_actor& executor,
        const sshexec::machine& target) {
  sshexec::command what;
  what.line = "uname -s";
  int status = EXIT_SUCCESS;
  caf::scoped_actor self{system};
  self->request(executor, caf::infinite, sshexec::execute_atom_v, target, what)
    .receive([](const sshexec::command_result& x) { std::cout << x.output.stdout_data; },
             [&status](const caf::error& reason) { status = complain(reason); });
  return status;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: client HUB-PORT CERTIFICATE KEY AUTHORITY HOSTNAME PORT\n";
    return EXIT_FAILURE;
  }
  sshexec::machine target;
  target.hostname = argv[5];
  target.port = to_port(argv[6]);
  client_config config;
  caf::actor_system system{config};
  sshexec::connect_settings hub;
  hub.hub = {"127.0.0.1", to_port(argv[1])};
  hub.tls = {argv[2], argv[3], argv[4]};
  const auto executor = sshexec::connect_executor(system, hub);
  if (!executor)
    return complain(executor.error());
  const int status = run(system, *executor, target);
  caf::anon_send_exit(*executor, caf::exit_reason::user_shutdown);
  return status;
}
