/// A small hub: an actor of its own asks a machine how full its disk is, and a long listing of the
/// same machine is printed as it comes.
///
///     hub [--config-file=FILE] [--hub.user=USER] [--hub.port=PORT] HOSTNAME
///
/// FILE may have a group `sshexec` with the executor's settings.

#include <sshexec/actors/executor.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace hub {

/// What this hub is about.
struct disk_usage {
  std::string machine;
  std::uint32_t percent = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, disk_usage& x) {
  return f(caf::meta::type_name("disk_usage"), x.machine, x.percent);
}

} // namespace hub

// The hub's own message types, beside those of sshexec.
CAF_BEGIN_TYPE_ID_BLOCK(hub, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(hub, (hub::disk_usage))

  CAF_ADD_ATOM(hub, hub, check_atom, "check")

CAF_END_TYPE_ID_BLOCK(hub)

namespace hub {

struct hub_config : caf::actor_system_config {
  hub_config() {
    set("scheduler.policy", caf::atom("sharing"));
    add_message_types<caf::id_block::hub>();
    sshexec::register_messages(*this);
    opt_group{custom_options_, "hub"}
      .add(user, "user", "user name on the machine")
      .add(port, "port", "port of its SSH server");
  }

  std::string user;
  std::uint16_t port = 22;
};

// -- an actor of the hub that uses the executor
// ----------------------------------------------------

using disk_watcher = caf::typed_actor<
  /// How full the root file system of a machine is.
  caf::replies_to<check_atom, sshexec::machine>::with<disk_usage>>;

disk_watcher::behavior_type watch_disks(disk_watcher::pointer self,
                                        const sshexec::executor_actor& executor) {
  return {
    [self, executor](check_atom, const sshexec::machine& target) -> caf::result<disk_usage> {
      sshexec::command df;
      df.line = "df -P / | awk 'NR == 2 { print int($5) }'";
      auto promise = self->make_response_promise<disk_usage>();
      self->request(executor, caf::infinite, sshexec::execute_atom_v, target, df)
        .then(
          [promise, target](const sshexec::command_result& result) mutable {
            const auto percent = std::strtoul(result.output.stdout_data.c_str(), nullptr, 10);
            promise.deliver(disk_usage{to_address(target), static_cast<std::uint32_t>(percent)});
          },
          [promise](caf::error& reason) mutable { promise.deliver(std::move(reason)); });
      return promise;
    },
  };
}

// -- an actor that takes a command's output as it comes
// --------------------------------------------

/// Nothing more is read from the machine until a chunk is answered, so a slow printer fills no
/// memory.
sshexec::output_consumer::behavior_type print_output() {
  return {
    [](const sshexec::output_chunk& chunk) { std::cout << chunk.data << std::flush; },
  };
}

// -- the program
// -----------------------------------------------------------------------------------

int complain(const caf::error& reason) {
  std::cerr << "hub: " << sshexec::to_failure(reason).message << '\n';
  return EXIT_FAILURE;
}

int check_disk(caf::actor_system& system, const sshexec::executor_actor& executor,
               const sshexec::machine& target) {
  int status = EXIT_SUCCESS;
  caf::scoped_actor self{system};
  self->request(system.spawn(watch_disks, executor), caf::infinite, check_atom_v, target)
    .receive(
      [](const disk_usage& usage) {
        std::cout << usage.machine << ": " << usage.percent << " % of the disk are used\n";
      },
      [&status](const caf::error& reason) { status = complain(reason); });
  return status;
}

int list_root(caf::actor_system& system, const sshexec::executor_actor& executor,
              const sshexec::machine& target) {
  sshexec::command listing;
  listing.line = "ls -l /";
  listing.output_to = system.spawn<caf::detached>(print_output);
  int status = EXIT_SUCCESS;
  caf::scoped_actor self{system};
  self->request(executor, caf::infinite, sshexec::execute_atom_v, target, listing)
    .receive(
      [](const sshexec::command_result& result) {
        std::cout << result.output.stdout_bytes << " bytes, exit code " << result.exit_code << '\n';
      },
      [&status](const caf::error& reason) { status = complain(reason); });
  return status;
}

int run(const hub_config& config, caf::actor_system& system) {
  // The executor's settings are the group `sshexec` of the hub's own configuration.
  auto settings = sshexec::read_settings(caf::content(config));
  if (!settings)
    return complain(settings.error());
  if (const auto missing = sshexec::check_files(*settings))
    return complain(missing);
  auto spawned = sshexec::spawn_executor(system, *settings);
  if (!spawned)
    return complain(spawned.error());
  // Ends it on every way out: the actor system would wait for it without end.
  const sshexec::scoped_executor executor{system, *spawned};

  sshexec::machine target;
  target.hostname = config.remainder.front();
  target.port = config.port;
  target.username = config.user;
  int status = check_disk(system, *executor, target);
  if (status == EXIT_SUCCESS)
    status = list_root(system, *executor, target);
  return status;
}

} // namespace hub

int main(int argc, char** argv) {
  hub::hub_config config;
  if (const auto problem = config.parse(argc, argv)) {
    std::cerr << "hub: " << caf::to_string(problem) << '\n';
    return EXIT_FAILURE;
  }
  if (config.cli_helptext_printed)
    return EXIT_SUCCESS;
  if (config.remainder.size() != 1) {
    std::cerr << "hub: give it the name of one machine (see --help)\n";
    return EXIT_FAILURE;
  }
  caf::actor_system system{config};
  return hub::run(config, system);
}
