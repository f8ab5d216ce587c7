#include "sshexec/actors/pool/machine_supervisor.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <variant>

namespace sshexec {

namespace {

template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};

template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

const setback shutting_down{error_code::shutting_down, connection_fault::none,
                            "the executor is shutting down"};

} // namespace

// -- a command arrives ---------------------------------------------------------------------------

caf::typed_response_promise<command_result> machine_supervisor_state::execute(command& what) {
  ++received;
  timers.cancel({timer::idle, 0});
  const ssh::exec_id id = ++last_id;
  // The promise takes the sender away.
  const caf::strong_actor_ptr sender = self->current_sender();
  auto promise = self->make_response_promise<command_result>();
  const auto caller = caf::actor_cast<caf::actor_addr>(sender);
  watch(caller);
  watch(what.output_to ? what.output_to.address() : caf::actor_addr{});
  const execution& x
    = executions.try_emplace(id, std::move(what), caller, reply<command_result>{promise}, now())
        .first->second;
  notify(pool_event_kind::command_received, x);
  if (x.command.deadline)
    set_timer(timer::deadline, *x.command.deadline, id);
  if (const auto reason = objection())
    refuse(id, *reason);
  else
    enqueue(id);
  drive_soon();
  return promise;
}

std::optional<setback> machine_supervisor_state::objection() const {
  if (life == life_stage::closing)
    return shutting_down;
  if (waiting.size() >= config.max_queued)
    return setback{error_code::overloaded, connection_fault::none,
                   std::to_string(waiting.size()) + " commands wait for this machine already"};
  if (circuit.is_open(now()))
    return setback{last_setback.code, last_setback.fault,
                   last_setback.text + "; it failed again and again, so it is not tried for "
                     + caf::deep_to_string(config.breaker_pause)};
  return std::nullopt;
}

void machine_supervisor_state::watch(const caf::actor_addr& whom) {
  if (whom && watched.insert(whom).second)
    self->monitor(whom);
}

void machine_supervisor_state::enqueue(ssh::exec_id id) {
  waiting.insert(id);
  if (link == link_state::connecting)
    join_attempt(id);
  else
    proceed();
}

void machine_supervisor_state::proceed() {
  if (link == link_state::connected)
    start_waiting();
  else if (link == link_state::disconnected && !waiting.empty())
    connect();
}

void machine_supervisor_state::join_attempt(ssh::exec_id id) {
  execution& x = executions.at(id);
  x.begin_attempt();
  x.enter(phase::connect, now());
}

// -- the supervisor ends -------------------------------------------------------------------------

void machine_supervisor_state::registry_ended(const caf::error& reason) {
  // Nobody holds the executor any more, but what it was asked to do is still waited for.
  if (reason == caf::exit_reason::unreachable)
    life = std::max(life, life_stage::leaving);
  else
    shut_down();
}

void machine_supervisor_state::shut_down() {
  if (life == life_stage::closing)
    return drained();
  life = life_stage::closing;
  end_commands(shutting_down, [](const execution& x) { return x.where < stage::running; });
  if (config.drain_timeout.count() > 0)
    set_timer(timer::drain, config.drain_timeout);
  else
    drained();
}

void machine_supervisor_state::drained() {
  end_commands(shutting_down, [](const execution&) { return true; });
}

void machine_supervisor_state::leave() {
  if (link == link_state::connected)
    notify(pool_event_kind::connection_closed);
  drop_connection();
  // Those who live longer would keep what is left of this actor in memory.
  self->demonitor(caf::actor_cast<caf::actor_addr>(registry));
  for (const caf::actor_addr& whom : watched)
    self->demonitor(whom);
  self->quit();
}

// -- a request is answered -----------------------------------------------------------------------

void machine_supervisor_state::succeed(ssh::exec_id id, ssh::exec_outcome outcome) {
  execution& x = executions.at(id);
  x.enter(phase::run, now());
  command_result result;
  result.exit_code = outcome.exit_status ? static_cast<std::int32_t>(*outcome.exit_status) : -1;
  result.exit_signal = std::move(outcome.exit_signal);
  result.output = to_output(outcome);
  result.duration = x.duration();
  result.times = x.times;
  result.attempts = x.attempts;
  result.reused_connection = x.reused_connection;
  result.refused_environment = std::move(outcome.refused_environment);

  execution_record record = record_of(x);
  record.exit_code = result.exit_code;
  record.exit_signal = result.exit_signal;
  // First the journal, so that its lines are in the order in which callers saw their answers.
  self->send(services.journal, std::move(record));
  dismiss_feeders(x);
  ++activity.succeeded;
  activity.latency.add(result.duration);
  notify(pool_event_kind::command_finished, x);
  x.answer.deliver(std::move(result));
  finish(id);
}

void machine_supervisor_state::fail(ssh::exec_id id, error_code code, failure what) {
  execution& x = executions.at(id);
  x.enter(x.current_phase, now());
  what.times = x.times;
  what.duration = x.duration();
  execution_record record = record_of(x);
  record.outcome = code;
  record.message = what.message;
  self->send(services.journal, std::move(record));
  dismiss_feeders(x);
  ++activity.failed;
  notify(pool_event_kind::command_finished, x, code, what.message);
  x.answer.fail(make_failure(code, std::move(what)));
  finish(id);
}

void machine_supervisor_state::refuse(ssh::exec_id id, const setback& reason) {
  fail(id, reason.code, describe(executions.at(id), reason));
}

void machine_supervisor_state::fail_waiting(const setback& reason) {
  while (!waiting.empty())
    refuse(*waiting.begin(), reason);
}

void machine_supervisor_state::finish(ssh::exec_id id) {
  cancel_timers(id);
  timers.cancel({timer::deadline, id});
  waiting.erase(id);
  tracked.erase(id);
  executions.erase(id);
  if (executions.empty())
    set_timer(timer::idle, config.idle_timeout);
}

execution_record machine_supervisor_state::record_of(const execution& x) const {
  execution_record record;
  record.time = x.received_at;
  record.machine = target;
  record.command_line = x.command.line;
  record.duration = x.duration();
  record.attempts = x.attempts;
  record.reused_connection = x.reused_connection;
  return record;
}

// -- plumbing ------------------------------------------------------------------------------------

void machine_supervisor_state::drive() {
  advance();
  settle();
}

void machine_supervisor_state::drive_soon() {
  if (!std::exchange(will_drive, true))
    self->send(self, drive_atom::value);
}

void machine_supervisor_state::advance() {
  will_drive = false;
  do {
    must_drive = false;
    if (!connection)
      break;
    const auto number = connection_number;
    auto events = connection->advance();
    listen();
    for (ssh::connection_event& event : events) {
      // An event may end the connection that it came from.
      if (number != connection_number)
        break;
      react(event);
    }
  } while (must_drive);
}

void machine_supervisor_state::settle() {
  if (life != life_stage::serving && executions.empty())
    return leave();
  if (connection)
    connection->flush();
  send_tick();
}

void machine_supervisor_state::react(ssh::connection_event& event) {
  namespace ev = ssh::event;
  std::visit(overloaded{
               [this](ev::transport_connected) {
                 connect_step = "exchanging keys";
                 timers.cancel({timer::next_address, 0});
               },
               [this](ev::host_key_presented& e) { check_host_key(e.key); },
               [this](ev::authenticated) { connected(); },
               [this](ev::exec_sent e) { exec_sent(e.id); },
               [this](ev::output& e) { output(e); },
               [this](ev::input_wanted e) { input_wanted(e.id); },
               [this](ev::spare_ended e) { spare_ended(e); },
               [this](ev::tracked e) { process_group_told(e); },
               [this](ev::channel_refused e) { channel_refused(e.id, e.reason); },
               [this](ev::exec_refused& e) { exec_refused(e.id, std::move(e.reason)); },
               [this](ev::exec_ended& e) { exec_ended(e.id, std::move(e.outcome)); },
               [this](ev::channel_closed) { channel_closed(); },
               [this](ev::lost& e) { lost(to_setback(e.reason)); },
             },
             event);
}

void machine_supervisor_state::ready(std::uint64_t number) {
  if (number == connection_number)
    drive();
}

void machine_supervisor_state::tick() {
  timers.tick_arrived(now());
  while (const auto key = timers.take_due(now()))
    on_deadline(*key);
  drive();
}

void machine_supervisor_state::on_deadline(const timer_key& key) {
  const auto id = key.second;
  switch (key.first) {
    case timer::connect:
      return attempt_failed({error_code::connection_error, connection_fault::timed_out,
                             "no connection within " + caf::deep_to_string(config.connect_timeout)
                               + " (stopped at: " + connect_step + ')'});
    case timer::next_address:
      return try_next_address();
    case timer::reconnect:
      if (waiting.empty())
        failures = 0;
      link = link_state::disconnected;
      return proceed();
    case timer::keepalive:
      return check_liveness();
    case timer::after_refusal:
      return start_waiting();
    case timer::idle:
      return expire();
    case timer::drain:
      return drained();
    case timer::stuck_channels:
      return lost({error_code::connection_error, connection_fault::dropped,
                   "the server did not close channels that were given up"});
    case timer::open_channel:
      return lost({error_code::connection_error, connection_fault::timed_out,
                   "the server did not answer the request for a channel within "
                     + caf::deep_to_string(config.connect_timeout)});
    case timer::deadline:
      return deadline_passed(id);
    case timer::run:
      return time_is_up(id);
    case timer::kill:
      return kill_command(id);
    case timer::give_up:
      return give_up_command(id);
    case timer::retry:
      return enqueue(id);
  }
}

void machine_supervisor_state::send_tick() {
  if (const auto when = timers.tick_to_send())
    self->delayed_send(self, std::max(*when - now(), time_point::duration{0}), tick_atom::value);
}

void machine_supervisor_state::set_timer(timer what, caf::timespan delay, ssh::exec_id id) {
  timers.set({what, id}, now() + delay);
}

void machine_supervisor_state::cancel_timers(ssh::exec_id id) {
  for (const timer what :
       {timer::open_channel, timer::run, timer::kill, timer::give_up, timer::retry})
    timers.cancel({what, id});
}

std::uint32_t machine_supervisor_state::allowed_attempts(const execution& x) const {
  const bool is_last = x.command.retry == retry_policy::never || circuit.is_probing();
  const std::size_t retries = is_last ? 0 : config.retry_delays.size();
  return x.free_attempts + 1 + static_cast<std::uint32_t>(retries);
}

caf::timespan machine_supervisor_state::delay_after(std::uint32_t failed) const {
  if (config.retry_delays.empty())
    return caf::timespan{0};
  const auto last = config.retry_delays.size() - 1;
  const caf::timespan delay = config.retry_delays[std::min<std::size_t>(failed - 1, last)];
  if (config.retry_jitter == 0)
    return delay;
  std::random_device random;
  const double share = std::uniform_real_distribution<>{0, config.retry_jitter}(random);
  return delay + caf::timespan{std::llround(static_cast<double>(delay.count()) * share)};
}

failure machine_supervisor_state::describe(const execution& x, const setback& reason) const {
  failure result;
  machine named = target;
  if (!login_name.empty())
    named.username = login_name;
  result.machine = to_address(named);
  result.message = result.machine + ": ";
  if (reason.fault != connection_fault::none)
    result.message += to_string(reason.fault) + ": ";
  result.message += reason.text;
  if (x.attempts > 1)
    result.message += " (after " + std::to_string(x.attempts) + " attempts)";
  result.fault = reason.fault;
  result.progress = x.progress;
  result.attempts = x.attempts;
  return result;
}

supervisor_actor::behavior_type
machine_supervisor(supervisor_actor::stateful_pointer<machine_supervisor_state> self,
                   machine target, settings config, supervisor_services services,
                   const registry_actor& registry) {
  auto& state = self->state;
  state.target = std::move(target);
  state.config = std::move(config);
  state.services = std::move(services);
  state.registry = caf::actor_cast<caf::weak_actor_ptr>(registry);
  state.circuit = breaker{state.config.breaker_threshold, state.config.breaker_pause};
  self->monitor(registry);
  self->set_exit_handler([self](const caf::exit_msg&) {
    self->state.shut_down();
    self->state.drive();
  });
  self->set_down_handler([self](const caf::down_msg& message) {
    auto& state = self->state;
    state.watched.erase(message.source);
    state.consumer_ended(message.source);
    if (message.source == state.registry)
      state.registry_ended(message.reason);
    else
      state.caller_ended(message.source);
    state.drive();
  });
  return {
    [self](execute_atom, const machine&, command& what) { return self->state.execute(what); },
    [self](cancel_atom, const machine&, const std::string& id) {
      self->state.cancel(id);
      self->state.drive();
    },
    [self](input_atom, const machine&, const std::string& id, std::string& data, bool end) {
      return self->state.input(id, data, end);
    },
    [self](changed_atom) {
      self->state.credentials_changed();
      self->state.drive();
    },
    [self](status_atom) { return self->state.status(); },
    [self](observers_atom, observer_list& observers) {
      self->state.activity.observers = std::move(observers);
    },
    [self](ready_atom, std::uint64_t number) { self->state.ready(number); },
    [self](drive_atom) { self->state.drive(); },
    [self](tick_atom) { self->state.tick(); },
  };
}

} // namespace sshexec
