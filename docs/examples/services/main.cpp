/// A hub with services of its own: it holds the keys and the host keys itself, watches what the
/// executor does, and asks it for its status.
///
///     services USER HOSTNAME PORT KEYFILE

#include <sshexec/actors/executor.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace hub {

// -- keys -----------------------------------------------------------------------------------------

/// Whatever the hub gets its keys from.
struct vault {
  std::string username;
  sshexec::ssh::secret key;
};

sshexec::credential_store::behavior_type keep_keys(const vault& keys) {
  return {
    [keys](sshexec::load_atom, const sshexec::machine&) {
      sshexec::credentials found;
      found.username = keys.username;
      found.sources.emplace_back(sshexec::key_in_memory{keys.key, {}});
      return found;
    },
  };
}

sshexec::ssh::secret read_secret(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return sshexec::ssh::secret{std::string{std::istreambuf_iterator<char>{in}, {}}};
}

// -- host keys ------------------------------------------------------------------------------------

struct host_key_state {
  static inline const char* name = "hub.host_keys";

  std::map<std::string, sshexec::ssh::known_keys> keys;
};

std::string address_of(const std::string& host, std::uint16_t port) {
  return host + ':' + std::to_string(port);
}

sshexec::host_key_store::behavior_type
keep_host_keys(sshexec::host_key_store::stateful_pointer<host_key_state> self) {
  return {
    [self](sshexec::look_up_atom, const std::string& host, std::uint16_t port) {
      return self->state.keys[address_of(host, port)];
    },
    [self](sshexec::remember_atom, const std::string& host, std::uint16_t port,
           const sshexec::ssh::host_key& key) {
      self->state.keys[address_of(host, port)].trusted.push_back(key);
      return key;
    },
  };
}

// -- what happens ---------------------------------------------------------------------------------

sshexec::observer_actor::behavior_type print_events() {
  return {
    [](const sshexec::pool_event& event) {
      std::cout << to_address(event.machine) + ' ' + to_string(event.kind) + ' '
                     + event.command_line + ' ' + event.detail + '\n';
    },
  };
}

std::int64_t milliseconds(caf::timespan x) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(x).count();
}

void print_status(const sshexec::executor_status& status) {
  for (const sshexec::machine_status& x : status.machines)
    std::cout << to_address(x.machine) << ": " << to_string(x.state) << ", " << x.running
              << " running, " << x.succeeded << " succeeded, " << x.failed << " failed\n";
  const sshexec::latency_percentiles all = status.latency.percentiles();
  std::cout << "half of all commands took at most " << milliseconds(all.p50) << " ms, 99 of 100 "
            << milliseconds(all.p99) << " ms\n";
}

// -- the program ----------------------------------------------------------------------------------

struct config : caf::actor_system_config {
  config() { sshexec::register_messages(*this); }
};

int complain(const caf::error& reason) {
  std::cerr << "services: " << sshexec::to_failure(reason).message << '\n';
  return EXIT_FAILURE;
}

/// Runs one command, and prints its output and then the executor's status.
int run(caf::actor_system& system, const sshexec::executor_actor& executor,
        const sshexec::machine& target) {
  int status = EXIT_SUCCESS;
  sshexec::command what;
  what.line = "uname -s";
  caf::scoped_actor self{system};
  self->request(executor, caf::infinite, sshexec::execute_atom_v, target, what)
    .receive([](const sshexec::command_result& x) { std::cout << x.output.stdout_data; },
             [&status](const caf::error& reason) { status = complain(reason); });
  self->request(executor, caf::infinite, sshexec::status_atom_v)
    .receive(print_status, [&status](const caf::error& reason) { status = complain(reason); });
  return status;
}

int main(caf::actor_system& system, const sshexec::machine& target, vault keys) {
  sshexec::executor_services services;
  services.credentials = system.spawn(keep_keys, std::move(keys));
  services.host_keys = system.spawn(keep_host_keys);
  auto executor = sshexec::spawn_executor(system, sshexec::settings{}, services);
  int status = EXIT_FAILURE;
  if (executor) {
    const sshexec::observer_actor observer = system.spawn<caf::detached>(print_events);
    caf::anon_send(*executor, sshexec::subscribe_atom_v, observer);
    status = run(system, *executor, target);
    // After a key was replaced: connections that were made with the old one are closed.
    caf::anon_send(*executor, sshexec::changed_atom_v, target);
    caf::anon_send_exit(*executor, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  } else {
    complain(executor.error());
  }
  // They are the hub's, and may serve other executors.
  caf::anon_send_exit(services.credentials, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(services.host_keys, caf::exit_reason::user_shutdown);
  return status;
}

} // namespace hub

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: services USER HOSTNAME PORT KEYFILE\n";
    return EXIT_FAILURE;
  }
  sshexec::machine target;
  target.hostname = argv[2];
  target.port = static_cast<std::uint16_t>(std::atoi(argv[3]));
  hub::config config;
  caf::actor_system system{config};
  return hub::main(system, target, {argv[1], hub::read_secret(argv[4])});
}
