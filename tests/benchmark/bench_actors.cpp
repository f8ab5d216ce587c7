/// The actors' own cost of a command: its connection ends each command as soon as it is told to
/// start it.

#include "sshexec/actors/pool/connect_gate.hpp"
#include "sshexec/actors/pool/pool_registry.hpp"
#include "sshexec/actors/services/key_ring.hpp"

#include <benchmark/benchmark.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace {

using namespace sshexec;
using clock_type = std::chrono::steady_clock;

/// When the last command reached its connection. Only one is ever under way.
clock_type::time_point started;

class instant_connection final : public ssh::connection {
public:
  std::vector<ssh::connection_event> advance() override { return std::exchange(events_, {}); }

  void flush() override {}

  bool try_next_address() override { return false; }

  void authenticate() override {}

  void start(ssh::exec_id id, ssh::exec_request) override {
    started = clock_type::now();
    ssh::exec_outcome outcome;
    outcome.stdout_data = "ok\n";
    outcome.stdout_bytes = outcome.stdout_data.size();
    outcome.exit_status = 0;
    events_.emplace_back(ssh::event::exec_sent{id});
    events_.emplace_back(ssh::event::exec_ended{id, std::move(outcome)});
    events_.emplace_back(ssh::event::channel_closed{id});
  }

  void open_spare() override {}

  void close_spare() override {}

  void write(ssh::exec_id, std::string, bool) override {}

  void grant(ssh::exec_id, std::uint64_t) override {}

  void signal(ssh::exec_id, std::string_view) override {}

  ssh::exec_outcome abandon(ssh::exec_id) override { return {}; }

  void forward(ssh::forward_id, ssh::forward_request) override {}

  void send_keepalive() override {}

  [[nodiscard]] bool is_reading() const override { return true; }

  [[nodiscard]] bool is_opening_channel() const override { return false; }

  [[nodiscard]] std::uint64_t bytes_received() const override { return 0; }

private:
  std::vector<ssh::connection_event> events_{ssh::event::authenticated{}};
};

struct system_config : caf::actor_system_config {
  system_config() {
    set("scheduler.policy", caf::atom("sharing"));
    register_messages(*this);
  }
};

/// The services that a connection needs, each answering at once.
supervisor_services make_services(caf::actor_system& system) {
  supervisor_services result;
  result.ticks = spawn_tick_relay(system);
  result.resolver = system.spawn([]() -> resolver_actor::behavior_type {
    return {
      [](resolve_atom, const std::string&, std::uint16_t) { return std::vector<ssh::address>(1); }};
  });
  result.keys = system.spawn([]() -> key_ring_actor::behavior_type {
    return {
      [](load_atom, const machine&) { return ssh::login{}; },
      [](load_atom, const machine&, const login_wishes&) { return ssh::login{}; },
      [](changed_atom) {},
    };
  });
  result.ciphers = system.spawn([]() -> cipher_check_actor::behavior_type {
    return {[](check_atom) { return ssh::cipher_families{}; }};
  });
  result.gate = system.spawn(connect_gate, 10U);
  result.host_keys = system.spawn([]() -> host_key_store::behavior_type {
    return {
      [](look_up_atom, const std::string&, std::uint16_t) { return ssh::known_keys{}; },
      [](remember_atom, const std::string&, std::uint16_t, ssh::host_key& key) {
        return std::move(key);
      },
    };
  });
  result.connect = [](ssh::connection_settings, ssh::poller::notify_function) {
    return std::make_unique<instant_connection>();
  };
  return result;
}

settings quiet_settings() {
  settings result;
  result.user = "nobody";
  result.host_key_policy = host_key_policy::off;
  return result;
}

/// One command after another, from a thread that is no actor's: `manual` time is that from the
/// request to the connection, where the first byte would leave; the whole is in `answer_us`.
void request_to_connection(benchmark::State& state) {
  system_config config;
  caf::actor_system system{config};
  supervisor_services services = make_services(system);
  const auto to_actor = [](const auto& x) { return caf::actor_cast<caf::actor>(x); };
  std::vector<caf::actor> owned{to_actor(services.resolver), to_actor(services.keys),
                                to_actor(services.host_keys), to_actor(services.ciphers),
                                to_actor(services.gate)};
  const executor_actor executor{
    system.spawn(pool_registry, quiet_settings(), std::move(services), std::move(owned))};
  caf::scoped_actor self{system};
  machine target;
  target.hostname = "host";
  command what;
  what.line = "true";
  std::chrono::duration<double, std::micro> answered{0};
  bool failed = false;
  for (auto unused : state) {
    (void)unused;
    const auto sent = clock_type::now();
    self->request(executor, caf::infinite, execute_atom_v, target, what)
      .receive([](const command_result&) {}, [&failed](const caf::error&) { failed = true; });
    answered += clock_type::now() - sent;
    state.SetIterationTime(std::chrono::duration<double>{started - sent}.count());
  }
  if (failed)
    state.SkipWithError("a command failed");
  state.counters["answer_us"]
    = benchmark::Counter(answered.count(), benchmark::Counter::kAvgIterations);
  self->send_exit(executor, caf::exit_reason::user_shutdown);
}

BENCHMARK(request_to_connection)->UseManualTime()->Unit(benchmark::kMicrosecond);

} // namespace

BENCHMARK_MAIN();
