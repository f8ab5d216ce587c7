/// A hub that restarts a service on many machines: on one first, then on more of them, and on no
/// other once too many failed.
///
///     rollout USER PORT COMMAND HOSTNAME...

#include <sshexec/actors/executor.hpp>
#include <sshexec/actors/fleet/rollout.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>

namespace {

struct config : caf::actor_system_config {
  config() {
    set("scheduler.policy", caf::atom("sharing"));
    sshexec::register_messages(*this);
  }
};

/// Is told of each machine once. The rollout waits for it, so a slow one fills no memory.
sshexec::outcome_consumer::behavior_type print_outcomes() {
  return {
    [](const sshexec::machine_outcome& x) {
      std::cout << to_address(x.machine) << ": ";
      switch (x.kind) {
        case sshexec::outcome_kind::ended:
          std::cout << "exit code " << x.result.exit_code << '\n';
          break;
        case sshexec::outcome_kind::failed:
          std::cout << x.what.message << '\n';
          break;
        case sshexec::outcome_kind::never_started:
          std::cout << "never started: " << to_string(x.reason) << '\n';
          break;
      }
    },
  };
}

sshexec::rollout read_rollout(char** words) {
  sshexec::rollout what;
  what.command.line = words[3];
  what.at_once = 20;
  // One machine, then a tenth of them at a time, a second later.
  what.steps = {{1, false}, {10, true}};
  what.pause = std::chrono::seconds{1};
  what.max_failures = sshexec::portion{5, true};
  for (char** name = words + 4; *name != nullptr; ++name) {
    sshexec::machine x;
    x.hostname = *name;
    x.username = words[1];
    x.port = static_cast<std::uint16_t>(std::atoi(words[2]));
    what.machines.push_back(x);
  }
  return what;
}

int complain(const caf::error& reason) {
  std::cerr << "rollout: " << sshexec::to_failure(reason).message << '\n';
  return EXIT_FAILURE;
}

int run(caf::actor_system& system, const sshexec::executor_actor& executor, char** words) {
  const sshexec::outcome_consumer printer{system.spawn<caf::detached>(print_outcomes)};
  const auto rollout = sshexec::spawn_rollout(system, executor, read_rollout(words), printer);
  int status = EXIT_SUCCESS;
  if (rollout) {
    caf::scoped_actor self{system};
    self->request(*rollout, caf::infinite, sshexec::start_atom_v)
      .receive(
        [&status](const sshexec::rollout_summary& x) {
          std::cout << x.succeeded << " of " << x.all << " succeeded\n";
          status = x.unsuccessful.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
        },
        [&status](const caf::error& reason) { status = complain(reason); });
  } else {
    status = complain(rollout.error());
  }
  caf::anon_send_exit(printer, caf::exit_reason::user_shutdown);
  return status;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "rollout: give it a user, a port, a command, and the names of machines\n";
    return EXIT_FAILURE;
  }
  config system_config;
  caf::actor_system system{system_config};
  const auto spawned = sshexec::spawn_executor(system, sshexec::settings{});
  if (!spawned)
    return complain(spawned.error());
  const sshexec::scoped_executor executor{system, *spawned};
  return run(system, *executor, argv);
}
