#include "simulated_pool.hpp"

#include "sshexec/actors/pool/connect_gate.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::test {

namespace {

resolver_actor::behavior_type resolver(resolver_actor::pointer, simulated_pool* pool) {
  return {
    [pool](resolve_atom, const std::string&,
           std::uint16_t) -> caf::result<std::vector<ssh::address>> {
      if (pool->resolver_error)
        return pool->resolver_error;
      return pool->addresses;
    },
  };
}

key_ring_actor::behavior_type keys(key_ring_actor::pointer, simulated_pool* pool) {
  const auto load = [pool]() -> caf::result<ssh::login> {
    ++pool->keys_loaded;
    if (pool->credential_error)
      return pool->credential_error;
    return ssh::login{pool->login_name, {nullptr}, {}, {}, pool->password};
  };
  return {
    [load](load_atom, const machine&) { return load(); },
    [load](load_atom, const machine&, const login_wishes&) { return load(); },
    [](changed_atom) {},
  };
}

cipher_check_actor::behavior_type ciphers(cipher_check_actor::pointer, simulated_pool* pool) {
  return {[pool](check_atom) -> caf::result<ssh::cipher_families> {
    if (pool->cipher_error)
      return pool->cipher_error;
    return pool->ciphers_left_out;
  }};
}

host_key_store::behavior_type host_keys(host_key_store::pointer, simulated_pool* pool) {
  return {
    [pool](look_up_atom, const std::string&, std::uint16_t) { return pool->known_keys; },
    [pool](remember_atom, const std::string&, std::uint16_t, const ssh::host_key& key) {
      pool->remembered.push_back(key);
      return key;
    },
  };
}

using slow_planner_actor = connection_planner_actor::extend<caf::reacts_to<done_atom>>;

slow_planner_actor::behavior_type planner(slow_planner_actor::pointer self, simulated_pool* pool) {
  using late_answer = std::pair<caf::typed_response_promise<connection_plan>, connection_plan>;
  auto late = std::make_shared<std::deque<late_answer>>();
  return {
    [self, pool, late](plan_atom, const plan_request& what) -> caf::result<connection_plan> {
      pool->plans_asked_for.push_back(what);
      connection_plan made = make_plan(what.target, pool->pool_settings);
      if (pool->change_plan)
        pool->change_plan(made);
      if (pool->plan_delay == duration{0})
        return made;
      auto promise = self->make_response_promise<connection_plan>();
      late->emplace_back(promise, std::move(made));
      self->delayed_send(self, pool->plan_delay, done_atom::value);
      return promise;
    },
    [late](done_atom) {
      late->front().first.deliver(std::move(late->front().second));
      late->pop_front();
    },
  };
}

journal_actor::behavior_type journal(journal_actor::pointer, simulated_pool* pool) {
  return {[pool](const execution_record& record) { pool->journal.push_back(record); }};
}

} // namespace

void simulated_connection::emit(ssh::connection_event event) {
  events_.push_back(std::move(event));
  notify_();
}

std::vector<ssh::connection_event> simulated_connection::advance() {
  if (flood > 0) {
    --flood;
    events_.emplace_back(ssh::event::output{flooding, false, "chunk"});
  }
  return std::exchange(events_, {});
}

void simulated_connection::finish(ssh::exec_id id, std::uint32_t exit_status, std::string output) {
  ssh::exec_outcome outcome;
  outcome.exit_status = exit_status;
  outcome.stdout_bytes = output.size();
  outcome.stdout_data = std::move(output);
  end(id, std::move(outcome));
}

void simulated_connection::end(ssh::exec_id id, ssh::exec_outcome outcome) {
  end_without_close(id, std::move(outcome));
  close(id);
}

void simulated_connection::end_without_close(ssh::exec_id id, ssh::exec_outcome outcome) {
  note_signals(id, outcome);
  emit(ssh::event::exec_ended{id, std::move(outcome)});
}

void simulated_connection::note_signals(ssh::exec_id id, ssh::exec_outcome& outcome) const {
  const bool was_signalled = std::any_of(signals.begin(), signals.end(),
                                         [id](const auto& sent) { return sent.first == id; });
  if (was_signalled)
    outcome.signalled = ssh::signal_reach::process_group;
}

void simulated_connection::close(ssh::exec_id id) {
  emit(ssh::event::channel_closed{id});
}

void simulated_connection::end_spare(bool refused) {
  has_spare = false;
  emit(ssh::event::spare_ended{refused, 0});
}

void simulated_connection::lose(ssh::error_kind kind, std::string text) {
  emit(ssh::event::lost{{kind, std::move(text)}});
}

void simulated_connection::hear() {
  ++bytes;
  notify_();
}

simulated_pool::simulated_pool(settings wanted) : pool_settings(std::move(wanted)) {
  supervisor_services services;
  services.ticks = spawn_tick_relay(system);
  services.resolver = system.spawn(resolver, this);
  services.keys = system.spawn(keys, this);
  services.host_keys = system.spawn(host_keys, this);
  services.ciphers = system.spawn(ciphers, this);
  services.gate = system.spawn(connect_gate, pool_settings.max_connects_per_host);
  services.journal = system.spawn(sshexec::test::journal, this);
  services.connect = [this](ssh::connection_settings to, ssh::poller::notify_function notify) {
    // The pool must not run while a connection's function is under way that made it notice.
    auto notify_later
      = [this, notify = std::move(notify)] { system.spawn([notify] { notify(); }); };
    return std::make_unique<simulated_connection>(network, std::move(to), std::move(notify_later));
  };
  std::vector<caf::actor> owned{
    caf::actor_cast<caf::actor>(services.resolver),  caf::actor_cast<caf::actor>(services.keys),
    caf::actor_cast<caf::actor>(services.host_keys), caf::actor_cast<caf::actor>(services.gate),
    caf::actor_cast<caf::actor>(services.journal),   caf::actor_cast<caf::actor>(services.ciphers)};
  if (!pool_settings.ssh_config.empty()) {
    services.planner = system.spawn(planner, this);
    owned.push_back(caf::actor_cast<caf::actor>(services.planner));
  }
  registry = system.spawn(pool_registry, pool_settings, std::move(services), std::move(owned));
  settle();
}

simulated_pool::~simulated_pool() {
  shut_down();
  // While what the services and connections refer to is still there.
  end_actors();
}

settings simulated_pool::default_settings() {
  settings result;
  result.user = "admin";
  result.host_key_policy = host_key_policy::off;
  return result;
}

machine simulated_pool::some_machine(std::string hostname) {
  machine result;
  result.hostname = std::move(hostname);
  return result;
}

command simulated_pool::some_command(std::string line) {
  command result;
  result.line = std::move(line);
  return result;
}

std::shared_ptr<pending_answer> simulated_pool::request(command what, machine target) {
  auto answer = std::make_shared<pending_answer>();
  answer->caller
    = system.spawn([this, answer, what, target](caf::event_based_actor* self) -> caf::behavior {
        self->request(registry, caf::infinite, execute_atom_v, target, what)
          .then(
            [self, answer](command_result& result) {
              answer->result = std::move(result);
              ++answer->count;
              self->quit();
            },
            [self, answer](caf::error& error) {
              answer->error = std::move(error);
              ++answer->count;
              self->quit();
            });
        return {
          [this, self](cancel_atom, const machine& of, const std::string& id) {
            self->send(registry, cancel_atom_v, of, id);
          },
          // A request of its own, for the pool knows callers by who sends.
          [this, self](input_atom, const machine& of, const std::string& id, std::string& data,
                       bool end) {
            auto promise = self->make_response_promise();
            self->request(registry, caf::infinite, input_atom_v, of, id, std::move(data), end)
              .then([promise]() mutable { promise.deliver(caf::unit); },
                    [promise](caf::error& reason) mutable { promise.deliver(std::move(reason)); });
            return promise;
          },
        };
      });
  settle();
  return answer;
}

void simulated_pool::cancel(const pending_answer& answer, const std::string& id, machine target) {
  caf::anon_send(answer.caller, cancel_atom_v, std::move(target), id);
  settle();
}

std::optional<std::uint64_t> simulated_pool::cancel_everywhere(const std::string& id) {
  const auto result = std::make_shared<std::optional<std::uint64_t>>();
  system.spawn([this, result, id](caf::event_based_actor* self) {
    self->request(registry, caf::infinite, cancel_atom_v, id).then([result](std::uint64_t count) {
      *result = count;
    });
  });
  settle();
  return *result;
}

std::shared_ptr<pending_input> simulated_pool::feed(const pending_answer& answer, std::string data,
                                                    bool end, machine target) {
  auto result = std::make_shared<pending_input>();
  system.spawn([result, caller = answer.caller, target = std::move(target), data = std::move(data),
                end](caf::event_based_actor* self) {
    self->request(caller, caf::infinite, input_atom_v, target, std::string{}, data, end)
      .then([result] { result->accepted = true; },
            [result](caf::error& reason) { result->error = std::move(reason); });
  });
  settle();
  return result;
}

void simulated_pool::end_caller(const pending_answer& answer) {
  caf::anon_send_exit(answer.caller, caf::exit_reason::kill);
  settle();
}

void simulated_pool::begin_shutdown() {
  caf::anon_send_exit(registry, caf::exit_reason::user_shutdown);
  settle();
}

void simulated_pool::shut_down() {
  if (!registry)
    return;
  begin_shutdown();
  registry = nullptr;
  pass(pool_settings.drain_timeout);
  pass(pool_settings.kill_grace);
  // A hunt for the processes of a tracked command takes a channel more.
  pass(pool_settings.kill_grace + pool_settings.connect_timeout);
}

void succeed_at_once(simulated_connection& connection, ssh::exec_id id) {
  ++connection.bytes;
  connection.emit(ssh::event::exec_sent{id});
  connection.finish(id, 0, "out");
}

void start_only(simulated_connection& connection, ssh::exec_id id) {
  connection.emit(ssh::event::exec_sent{id});
}

void refuse_connection(simulated_connection& connection) {
  connection.lose(ssh::error_kind::refused, "192.0.2.1:22: Connection refused");
}

} // namespace sshexec::test
