#include "sshexec/actors/pool/machine_supervisor.hpp"
#include "sshexec/actors/runtime/borrowed_thread.hpp"
#include "sshexec/ssh/dialer.hpp"

#include <caf/deep_to_string.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sshexec {

namespace {

/// A connection is given up after so many silent keep-alive intervals.
constexpr int silent_intervals = 3;

} // namespace

// -- a connection comes about --------------------------------------------------------------------

void machine_supervisor_state::connect() {
  link = link_state::connecting;
  ++connection_number;
  prepared = {};
  connect_step = "looking up keys and addresses";
  activity.link_since = now();
  notify(pool_event_kind::connecting);
  set_timer(timer::connect, config.connect_timeout);
  for (const ssh::exec_id id : waiting)
    join_attempt(id);
  ask<ssh::login>(
    services.keys,
    [this](ssh::login& login) {
      login_name = login.username;
      prepared.login = std::move(login);
      queue_when_complete();
    },
    load_atom::value, target);
  ask<std::vector<ssh::address>>(
    services.resolver,
    [this](std::vector<ssh::address>& addresses) {
      prepared.addresses = std::move(addresses);
      queue_when_complete();
    },
    resolve_atom::value, target.hostname, target.port);
  if (config.host_key_policy == host_key_policy::off) {
    prepared.known.emplace();
    return;
  }
  ask<ssh::known_keys>(
    services.host_keys,
    [this](ssh::known_keys& known) {
      prepared.known = std::move(known);
      queue_when_complete();
    },
    look_up_atom::value, target.hostname, target.port);
}

template <class Answer, class Service, class Handler, class... Arguments>
void machine_supervisor_state::ask(const Service& service, Handler on_answer,
                                   const Arguments&... arguments) {
  const auto number = connection_number;
  self->request(service, caf::infinite, arguments...)
    .then(
      [this, number, on_answer](Answer& answer) { proceed(number, [&] { on_answer(answer); }); },
      [this, number](const caf::error& reason) { service_failed(number, reason); });
}

template <class Step>
void machine_supervisor_state::proceed(std::uint64_t number, Step step) {
  if (number != connection_number)
    return;
  step();
  drive();
}

void machine_supervisor_state::service_failed(std::uint64_t number, const caf::error& reason) {
  proceed(number, [&] { attempt_failed(to_setback(reason)); });
}

void machine_supervisor_state::queue_when_complete() {
  if (!prepared.login || !prepared.known || !prepared.addresses)
    return;
  connect_step = "waiting for its turn to connect";
  // The wait for others that connect to the same address is no fault of the machine's.
  prepared.time_left = config.connect_timeout - (now() - activity.link_since);
  timers.cancel({timer::connect, 0});
  at_gate = true;
  const auto number = connection_number;
  self
    ->request(services.gate, caf::infinite, admit_atom::value,
              ssh::to_string(prepared.addresses->front()))
    .then([this, number] { proceed(number, [this] { dial(); }); },
          [this, number](const caf::error& reason) { service_failed(number, reason); });
}

void machine_supervisor_state::leave_gate() {
  if (std::exchange(at_gate, false))
    self->send(services.gate, done_atom::value);
}

void machine_supervisor_state::dial() {
  if (waiting.empty())
    return attempt_failed(
      {error_code::cancelled, connection_fault::none, "nobody waits for the connection any more"});
  set_timer(timer::connect, prepared.time_left);
  ssh::connection_settings wanted;
  wanted.addresses = std::move(*prepared.addresses);
  wanted.username = login_name.empty() ? target.username : login_name;
  wanted.keys = std::move(prepared.login->keys);
  wanted.agents = std::move(prepared.login->agents);
  for (const ssh::host_key& key : prepared.known->trusted)
    wanted.preferred_host_key_types.push_back(key.type);
  wanted.peer_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
    config.keepalive_interval * silent_intervals);
  // The poller must not keep a supervisor alive, and may notify one that is gone.
  const auto weak_self = caf::actor_cast<caf::weak_actor_ptr>(self);
  const auto number = connection_number;
  auto notify = [weak_self, number] {
    if (auto strong_self = weak_self.lock())
      borrowed_thread{*strong_self->home_system}.deliver(strong_self, ready_atom::value, number);
  };
  connect_step = "connecting";
  if (wanted.addresses.size() > 1)
    set_timer(timer::next_address, ssh::address_delay);
  connection = services.connect(std::move(wanted), std::move(notify));
  must_drive = true;
}

void machine_supervisor_state::try_next_address() {
  if (connection && connection->try_next_address())
    set_timer(timer::next_address, ssh::address_delay);
}

void machine_supervisor_state::check_host_key(const ssh::host_key& key) {
  const ssh::known_keys& known = *prepared.known;
  const auto contains = [&key](const std::vector<ssh::host_key>& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  if (config.host_key_policy == host_key_policy::off)
    return trust_host_key();
  const std::string seen = key.type + ' ' + ssh::fingerprint(key);
  if (contains(known.revoked))
    return attempt_failed({error_code::host_key_error, connection_fault::none,
                           "the host key is revoked: seen " + seen});
  if (contains(known.trusted))
    return trust_host_key();
  if (!known.trusted.empty()) {
    const ssh::host_key& expected = known.trusted.front();
    return attempt_failed({error_code::host_key_error, connection_fault::none,
                           "the host key changed: expected " + expected.type + ' '
                             + ssh::fingerprint(expected) + ", seen " + seen});
  }
  if (config.host_key_policy == host_key_policy::strict)
    return attempt_failed({error_code::host_key_error, connection_fault::none,
                           "the host key is unknown: expected one on record, seen " + seen});
  remember_host_key(key);
}

void machine_supervisor_state::remember_host_key(const ssh::host_key& key) {
  ask<ssh::host_key>(
    services.host_keys, [this](const ssh::host_key&) { trust_host_key(); }, remember_atom::value,
    target.hostname, target.port, key);
}

void machine_supervisor_state::trust_host_key() {
  connect_step = "authenticating";
  connection->authenticate();
  must_drive = true;
}

void machine_supervisor_state::connected() {
  link = link_state::connected;
  leave_gate();
  circuit.connected();
  slots = channel_slots{config.max_channels};
  has_spare = false;
  spare_is_due = false;
  lone_refusals = 0;
  commands_sent = 0;
  connected_since = now();
  bytes_heard = 0;
  last_heard = now();
  silent_checks = 0;
  notify(pool_event_kind::connected);
  activity.link_since = now();
  activity.connected_at = caf::make_timestamp();
  timers.cancel({timer::connect, 0});
  set_timer(timer::keepalive, config.keepalive_interval);
  for (const ssh::exec_id id : waiting)
    executions.at(id).enter(phase::queue, now());
  start_waiting();
}

void machine_supervisor_state::attempt_failed(const setback& reason) {
  drop_connection();
  ++failures;
  notify(pool_event_kind::connect_failed, reason.code, reason.text);
  bool gave_up = !reason.retriable();
  const auto ids = waiting;
  for (const ssh::exec_id id : ids) {
    execution& x = executions.at(id);
    x.attempting = false;
    x.enter(phase::queue, now());
    if (reason.retriable() && x.attempts < allowed_attempts(x))
      continue;
    gave_up = true;
    refuse(id, reason);
  }
  if (gave_up)
    round_failed(reason);
  back_off();
}

void machine_supervisor_state::round_failed(const setback& reason) {
  if (reason.code != error_code::connection_error
      && reason.code != error_code::authentication_error)
    return;
  last_setback = reason;
  circuit.round_failed(now());
  if (circuit.is_open(now()))
    fail_waiting(*objection());
}

void machine_supervisor_state::back_off() {
  if (waiting.empty()) {
    link = link_state::disconnected;
    failures = 0;
    return;
  }
  link = link_state::backing_off;
  set_timer(timer::reconnect, delay_after(failures));
}

// -- the connection ends -------------------------------------------------------------------------

void machine_supervisor_state::lost(const setback& reason) {
  if (link != link_state::connected)
    return attempt_failed(reason);
  notify(pool_event_kind::connection_lost, reason.code, reason.text);
  // A connection that never carried a command is no better than one that was never made.
  const bool proven = commands_sent > 0 || executions.empty();
  std::vector<ssh::exec_id> interrupted;
  for (auto& [id, x] : executions) {
    if (x.where == stage::opening) {
      timers.cancel({timer::open_channel, id});
      if (proven)
        x.forget_attempt();
      wait_again(id);
    } else if (x.where == stage::running || x.where == stage::ending) {
      interrupted.push_back(id);
    }
  }
  for (const ssh::exec_id id : interrupted) {
    ssh::exec_outcome outcome = connection->abandon(id);
    execution& x = executions.at(id);
    if (met_a_dead_connection(x)) {
      x.free_attempts = 1;
      end_attempt(id, reason);
      waiting.insert(id);
      continue;
    }
    if (outcome.has_ended())
      x.progress = progress::finished;
    if (x.where == stage::ending)
      ended(id, x.channel_ended ? x.outcome : outcome);
    else
      retry_or_fail(id, reason, to_output(outcome));
  }
  if (!proven)
    return attempt_failed(reason);
  drop_connection();
  failures = 0;
  link = link_state::disconnected;
  proceed();
}

bool machine_supervisor_state::met_a_dead_connection(const execution& x) const {
  return x.where == stage::running && x.reused_connection && x.free_attempts == 0
         && !x.input_consumed && x.command.retry == retry_policy::always
         && life != life_stage::closing && connection->bytes_received() == x.heard_before;
}

void machine_supervisor_state::drop_connection() {
  ++connection_number;
  leave_gate();
  connection.reset();
  must_drive = false;
  outdated = false;
  has_spare = false;
  slots = channel_slots{config.max_channels};
  prey.clear();
  hunts.clear();
  for (const timer what : {timer::connect, timer::next_address, timer::keepalive,
                           timer::after_refusal, timer::stuck_channels})
    timers.cancel({what, 0});
}

void machine_supervisor_state::listen() {
  if (const auto bytes = connection->bytes_received(); bytes != bytes_heard) {
    bytes_heard = bytes;
    last_heard = now();
    silent_checks = 0;
  }
}

void machine_supervisor_state::check_liveness() {
  listen();
  const caf::timespan silence = now() - last_heard;
  if (silence < config.keepalive_interval)
    return set_timer(timer::keepalive, config.keepalive_interval - silence);
  // Counted rather than measured: where this process itself was held up, the peer gets its chance.
  if (++silent_checks == silent_intervals)
    return lost({error_code::connection_error, connection_fault::timed_out,
                 "the server was silent for " + caf::deep_to_string(silence)});
  connection->send_keepalive();
  must_drive = true;
  set_timer(timer::keepalive, config.keepalive_interval);
}

bool machine_supervisor_state::is_too_old() const {
  return config.max_connection_age.count() > 0
         && now() - connected_since >= config.max_connection_age;
}

void machine_supervisor_state::renew() {
  notify(pool_event_kind::connection_closed);
  drop_connection();
  link = link_state::disconnected;
  proceed();
}

void machine_supervisor_state::credentials_changed() {
  // What failed with the old ones says nothing about the new ones.
  circuit = breaker{config.breaker_threshold, config.breaker_pause};
  if (link == link_state::connecting) {
    // Its attempt goes on with the new ones.
    drop_connection();
    link = link_state::disconnected;
  } else if (link == link_state::connected) {
    outdated = true;
  }
  proceed();
}

bool machine_supervisor_state::in_use() const {
  return std::any_of(executions.begin(), executions.end(), [](const auto& numbered) {
    const stage where = numbered.second.where;
    return where == stage::opening || where == stage::running || where == stage::ending;
  });
}

void machine_supervisor_state::expire() {
  if (link == link_state::connected)
    notify(pool_event_kind::connection_closed);
  drop_connection();
  link = link_state::disconnected;
  if (const auto strong_registry = registry.lock())
    self->send(caf::actor_cast<registry_actor>(strong_registry), expired_atom::value, target,
               received);
}

} // namespace sshexec
