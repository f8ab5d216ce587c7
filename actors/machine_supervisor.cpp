#include "sshexec/actors/machine_supervisor.hpp"

#include "sshexec/actors/borrowed_thread.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <variant>

namespace sshexec {

namespace {

/// RFC 8305 §5 recommends this delay between addresses.
constexpr auto address_delay = std::chrono::milliseconds{250};

/// A connection is given up after so many silent keep-alive intervals.
constexpr int silent_intervals = 3;

/// A server may count a channel for a moment after its end, so one that refuses a channel while
/// none is open is asked again after this pause, but not for ever.
constexpr auto refusal_pause = std::chrono::milliseconds{100};
constexpr int max_lone_refusals = 4;

template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};

template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

std::string to_text(caf::timespan x) {
  return caf::deep_to_string(x);
}

const setback shutting_down{error_code::shutting_down, connection_fault::none,
                            "the executor is shutting down"};

/// Whether the server told how the command ended.
bool has_ended(const ssh::exec_outcome& x) {
  return x.exit_status || !x.exit_signal.empty();
}

/// What became of the processes of a command that was ended.
termination termination_of(const execution& x, const ssh::exec_outcome& outcome) {
  if (x.report)
    return x.report->survivors.empty() ? termination::killed : termination::survivors;
  return x.channel_ended && has_ended(outcome) ? termination::killed : termination::unknown;
}

/// Nobody can guess it, so that no command can pass for another one's.
std::string make_token() {
  std::random_device random;
  std::string result = "sshexec";
  for (int i = 0; i < 4; ++i) {
    std::array<char, 8> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), random(), 16).ptr;
    result.append(digits.data(), end);
  }
  return result;
}

failure with_output(failure what, command_output output) {
  what.output = std::move(output);
  return what;
}

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
  drive();
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
                     + to_text(config.breaker_pause)};
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
      dial_when_complete();
    },
    load_atom::value, target);
  ask<std::vector<ssh::address>>(
    services.resolver,
    [this](std::vector<ssh::address>& addresses) {
      prepared.addresses = std::move(addresses);
      dial_when_complete();
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
      dial_when_complete();
    },
    look_up_atom::value, target.hostname, target.port);
}

template <class Answer, class Service, class Handler, class... Arguments>
void machine_supervisor_state::ask(const Service& service, Handler on_answer,
                                   const Arguments&... arguments) {
  const auto number = connection_number;
  self->request(service, caf::infinite, arguments...)
    .then(
      [this, number, on_answer](Answer& answer) {
        if (number != connection_number)
          return;
        on_answer(answer);
        drive();
      },
      [this, number](const caf::error& reason) {
        if (number != connection_number)
          return;
        attempt_failed(to_setback(reason));
        drive();
      });
}

void machine_supervisor_state::dial_when_complete() {
  if (!prepared.login || !prepared.known || !prepared.addresses)
    return;
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
    set_timer(timer::next_address, address_delay);
  connection = services.connect(std::move(wanted), std::move(notify));
  must_drive = true;
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

// -- a command runs ------------------------------------------------------------------------------

void machine_supervisor_state::start_waiting() {
  if (is_too_old() && slots.open() == (has_spare ? 1U : 0U))
    return renew();
  if (outdated && !in_use())
    return renew();
  // A server that refused the only channel is asked again after a pause.
  if (timers.contains({timer::after_refusal, 0}))
    return;
  start_hunts();
  while (!waiting.empty() && may_start())
    start(*waiting.begin());
  open_spare();
  // Channels that were given up, but that the server does not close, must not hold the others up
  // for ever.
  const bool stuck = !waiting.empty() && waiting.size() == executions.size();
  if (stuck && !timers.contains({timer::stuck_channels, 0}))
    set_timer(timer::stuck_channels, config.connect_timeout);
  else if (!stuck)
    timers.cancel({timer::stuck_channels, 0});
}

bool machine_supervisor_state::may_start() const {
  if (outdated)
    return false;
  const std::uint32_t kept_free = !tracked.empty() && slots.limit() > 1 ? 1 : 0;
  return slots.free() + (has_spare ? 1 : 0) > kept_free;
}

void machine_supervisor_state::start(ssh::exec_id id) {
  waiting.erase(id);
  execution& x = executions.at(id);
  x.begin_attempt();
  x.where = stage::opening;
  x.reused_connection = commands_sent > 0;
  if (x.command.tracked) {
    x.token = make_token();
    x.process_group.reset();
    tracked.insert(id);
  }
  x.heard_before = connection->bytes_received();
  start_on_channel(id, x.request());
  set_timer(timer::open_channel, config.connect_timeout, id);
}

void machine_supervisor_state::start_on_channel(ssh::exec_id id, ssh::exec_request request) {
  // What is sent on the spare channel may have run even if the connection turns out dead, so it is
  // for connections that were heard of lately.
  request.takes_spare = has_spare && (silent_checks == 0 || slots.free() == 0);
  if (request.takes_spare)
    has_spare = false;
  else
    slots.take();
  connection->start(id, std::move(request));
  must_drive = true;
}

void machine_supervisor_state::open_spare() {
  const bool wanted
    = config.spare_channel && !outdated && spare_is_due && life == life_stage::serving;
  if (!wanted || has_spare || !waiting.empty() || slots.free() == 0)
    return;
  spare_is_due = false;
  has_spare = true;
  slots.take();
  connection->open_spare();
  must_drive = true;
}

void machine_supervisor_state::spare_ended(const ssh::event::spare_ended& e) {
  // A command was given its place before this was known, and opened a channel of its own.
  if (!std::exchange(has_spare, false))
    return;
  if (e.refused)
    slots.refused();
  else
    slots.give_back();
  start_waiting();
}

void machine_supervisor_state::exec_sent(ssh::exec_id id) {
  ++commands_sent;
  failures = 0;
  lone_refusals = 0;
  slots.served();
  spare_is_due = true;
  open_spare();
  const auto i = executions.find(id);
  if (i == executions.end())
    return;
  execution& x = i->second;
  x.where = stage::running;
  x.progress = progress::may_have_run;
  x.enter(phase::run, now());
  notify(pool_event_kind::command_started, x);
  timers.cancel({timer::open_channel, id});
  set_timer(timer::run, *x.command.timeout, id);
  send_early_input(id);
}

void machine_supervisor_state::process_group_told(const ssh::event::tracked& e) {
  const auto i = executions.find(e.id);
  if (i == executions.end())
    return;
  i->second.process_group = e.process_group;
  // It was to be ended before it could be found.
  if (i->second.where == stage::ending)
    hunt(e.id);
}

void machine_supervisor_state::channel_refused(ssh::exec_id id, std::uint32_t reason) {
  slots.refused();
  if (slots.open() == 0 && ++lone_refusals == max_lone_refusals)
    return lost({error_code::connection_error, connection_fault::dropped,
                 "the server refused a session channel (reason " + std::to_string(reason)
                   + ") though none was open"});
  // Its turn comes when one of the others has closed; that is no attempt of its own.
  if (executions.contains(id)) {
    timers.cancel({timer::open_channel, id});
    wait_again(id);
  }
  if (const auto hunt = hunts.find(id); hunt != hunts.end()) {
    prey.push_front(hunt->second);
    hunts.erase(hunt);
  }
  if (slots.open() == 0)
    set_timer(timer::after_refusal, refusal_pause);
  start_waiting();
}

void machine_supervisor_state::exec_refused(ssh::exec_id id, std::string reason) {
  const auto i = executions.find(id);
  if (i == executions.end())
    return;
  i->second.progress = progress::not_started;
  refuse(id, {error_code::rejected, connection_fault::none, std::move(reason)});
}

void machine_supervisor_state::exec_ended(ssh::exec_id id, ssh::exec_outcome outcome) {
  if (hunt_ended(id, outcome))
    return;
  const auto i = executions.find(id);
  if (i == executions.end())
    return;
  execution& x = i->second;
  if (x.where == stage::ending) {
    x.channel_ended = true;
    if (x.hunted)
      x.outcome = std::move(outcome);
    else
      ended(id, outcome);
  } else if (has_ended(outcome) && x.unanswered_chunks > 0) {
    // Whoever sees the result has seen all output. The run timeout bounds the wait.
    x.where = stage::delivering;
    x.outcome = std::move(outcome);
  } else if (has_ended(outcome)) {
    succeed(id, std::move(outcome));
  } else {
    retry_or_fail(id,
                  {error_code::connection_error, connection_fault::dropped,
                   "the channel closed without an exit status"},
                  to_output(outcome));
  }
}

void machine_supervisor_state::channel_closed() {
  slots.give_back();
  start_waiting();
}

void machine_supervisor_state::wait_again(ssh::exec_id id) {
  execution& x = executions.at(id);
  x.where = stage::waiting;
  x.enter(phase::queue, now());
  tracked.erase(id);
  waiting.insert(id);
}

void machine_supervisor_state::retry_or_fail(ssh::exec_id id, const setback& reason,
                                             command_output output) {
  execution& x = executions.at(id);
  const bool may_repeat
    = life != life_stage::closing && !x.input_consumed
      && (x.command.retry == retry_policy::always || x.progress == progress::not_started);
  if (!may_repeat || x.attempts >= allowed_attempts(x))
    return fail(id, reason.code, with_output(describe(x, reason), std::move(output)));
  notify(pool_event_kind::command_retried, x, reason.code, reason.text);
  cancel_timers(id);
  tracked.erase(id);
  x.attempting = false;
  x.where = stage::waiting;
  x.enter(phase::queue, now());
  set_timer(timer::retry, delay_after(x.attempts), id);
}

// -- input and output as they come ---------------------------------------------------------------

caf::result<void> machine_supervisor_state::input(const std::string& command_id, std::string& data,
                                                  bool end) {
  const auto caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  const auto found = std::find_if(executions.begin(), executions.end(), [&](const auto& entry) {
    const execution& x = entry.second;
    return x.caller == caller && x.command.id == command_id && x.command.stdin_open
           && !x.input_ended;
  });
  if (found == executions.end()) {
    failure reason;
    reason.message = to_address(target) + ": no command takes this input";
    return make_failure(error_code::invalid_argument, std::move(reason));
  }
  auto& [id, x] = *found;
  auto promise = self->make_response_promise<void>();
  x.feeders.emplace_back(promise);
  x.input_ended = end;
  x.early_input += data;
  if (x.where == stage::running)
    send_early_input(id);
  drive();
  return promise;
}

void machine_supervisor_state::send_early_input(ssh::exec_id id) {
  execution& x = executions.at(id);
  if (x.early_input.empty() && !x.input_ended)
    return;
  connection->write(id, std::exchange(x.early_input, {}), x.input_ended);
  x.input_consumed = true;
  must_drive = true;
}

void machine_supervisor_state::input_wanted(ssh::exec_id id) {
  const auto i = executions.find(id);
  if (i == executions.end())
    return;
  for (reply<void>& feeder : std::exchange(i->second.feeders, {}))
    feeder.deliver();
}

/// Before the command itself is answered, for its caller may end with that.
void machine_supervisor_state::dismiss_feeders(execution& x) {
  for (reply<void>& feeder : std::exchange(x.feeders, {})) {
    failure reason;
    reason.message = to_address(target) + ": the command has ended";
    feeder.fail(make_failure(error_code::invalid_argument, std::move(reason)));
  }
}

void machine_supervisor_state::output(ssh::event::output& e) {
  const auto i = executions.find(e.id);
  const std::uint64_t bytes = e.data.size();
  if (i == executions.end() || !i->second.command.output_to) {
    connection->grant(e.id, bytes);
    must_drive = true;
    return;
  }
  execution& x = i->second;
  ++x.unanswered_chunks;
  output_chunk chunk{x.command.id,
                     e.is_stderr ? output_stream::stderr_stream : output_stream::stdout_stream,
                     x.attempts, std::move(e.data)};
  const auto answered = [this, id = e.id, bytes, number = connection_number] {
    output_taken(id, bytes, number);
    drive();
  };
  self->request(x.command.output_to, caf::infinite, std::move(chunk))
    .then(answered, [this, answered, consumer = x.command.output_to.address()](const caf::error&) {
      consumer_ended(consumer);
      answered();
    });
}

void machine_supervisor_state::output_taken(ssh::exec_id id, std::uint64_t bytes,
                                            std::uint64_t number) {
  if (number == connection_number && connection) {
    connection->grant(id, bytes);
    must_drive = true;
  }
  const auto i = executions.find(id);
  if (i == executions.end())
    return;
  execution& x = i->second;
  --x.unanswered_chunks;
  if (x.where == stage::delivering && x.unanswered_chunks == 0)
    succeed(id, std::move(x.outcome));
}

void machine_supervisor_state::consumer_ended(const caf::actor_addr& consumer) {
  for (auto& [id, x] : executions) {
    if (x.command.output_to && x.command.output_to.address() == consumer)
      x.command.output_to = nullptr;
  }
}

// -- a command is ended --------------------------------------------------------------------------

void machine_supervisor_state::time_is_up(ssh::exec_id id) {
  end_command(id, {error_code::command_timeout, connection_fault::none,
                   "the command ran longer than " + to_text(*executions.at(id).command.timeout)});
}

void machine_supervisor_state::deadline_passed(ssh::exec_id id) {
  const execution& x = executions.at(id);
  const char* phase_name = x.current_phase == phase::queue     ? "it waited"
                           : x.current_phase == phase::connect ? "the connection was made"
                                                               : "it ran";
  end_command(id, {error_code::command_timeout, connection_fault::none,
                   "the command's deadline of " + to_text(*x.command.deadline) + " passed while "
                     + phase_name});
}

void machine_supervisor_state::cancel(const std::string& command_id) {
  const auto caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  end_commands(
    {error_code::cancelled, connection_fault::none, "the caller cancelled the command"},
    [&](const execution& x) { return x.caller == caller && x.command.id == command_id; });
}

void machine_supervisor_state::caller_ended(const caf::actor_addr& caller) {
  end_commands(
    {error_code::cancelled, connection_fault::none, "the caller ended"},
    [&](const execution& x) { return x.caller == caller && !x.command.outlives_caller; });
}

template <class Predicate>
void machine_supervisor_state::end_commands(const setback& reason, Predicate is_meant) {
  std::vector<ssh::exec_id> meant;
  for (const auto& [id, x] : executions) {
    if (is_meant(x))
      meant.push_back(id);
  }
  for (const ssh::exec_id id : meant)
    end_command(id, reason);
  proceed();
}

void machine_supervisor_state::end_command(ssh::exec_id id, const setback& reason) {
  execution& x = executions.at(id);
  if (x.where == stage::ending)
    return;
  if (x.where == stage::delivering)
    return succeed(id, std::move(x.outcome));
  if (x.where == stage::opening) {
    connection->abandon(id);
    must_drive = true;
  }
  if (x.where != stage::running)
    return refuse(id, reason);
  x.where = stage::ending;
  x.ended_for = reason;
  timers.cancel({timer::run, id});
  connection->signal(id, "TERM");
  must_drive = true;
  set_timer(timer::kill, config.kill_grace, id);
  if (x.process_group)
    hunt(id);
}

void machine_supervisor_state::kill_command(ssh::exec_id id) {
  connection->signal(id, "KILL");
  must_drive = true;
  // A hunt needs a channel, gives processes the same grace, and then looks whether they are gone.
  const bool hunted = executions.at(id).hunted;
  set_timer(timer::give_up,
            config.kill_grace + (hunted ? config.connect_timeout : caf::timespan{0}), id);
}

void machine_supervisor_state::hunt(ssh::exec_id victim) {
  executions.at(victim).hunted = true;
  prey.push_back(victim);
  start_hunts();
}

void machine_supervisor_state::start_hunts() {
  while (!prey.empty() && (has_spare || slots.free() > 0)) {
    const ssh::exec_id victim = prey.front();
    prey.pop_front();
    const auto i = executions.find(victim);
    if (i == executions.end())
      continue;
    const ssh::exec_id hunter = ++last_id;
    hunts.emplace(hunter, victim);
    start_on_channel(
      hunter,
      ssh::kill_request(*i->second.process_group, i->second.token,
                        std::chrono::duration_cast<std::chrono::milliseconds>(config.kill_grace)));
  }
}

bool machine_supervisor_state::hunt_ended(ssh::exec_id hunter, const ssh::exec_outcome& outcome) {
  const auto hunt = hunts.find(hunter);
  if (hunt == hunts.end())
    return false;
  const ssh::exec_id victim = hunt->second;
  hunts.erase(hunt);
  hunt_reported(victim, ssh::parse_kill_report(outcome.stdout_data));
  return true;
}

void machine_supervisor_state::hunt_reported(ssh::exec_id victim,
                                             std::optional<ssh::kill_report> report) {
  const auto i = executions.find(victim);
  if (i == executions.end())
    return;
  execution& x = i->second;
  x.hunted = false;
  x.report = std::move(report);
  if (x.channel_ended)
    ended(victim, x.outcome);
  else if (x.report && !x.report->survivors.empty())
    give_up_command(victim);
}

void machine_supervisor_state::give_up_command(ssh::exec_id id) {
  execution& x = executions.at(id);
  ssh::exec_outcome outcome = x.channel_ended ? std::move(x.outcome) : connection->abandon(id);
  must_drive = true;
  ended(id, outcome);
  start_waiting();
}

void machine_supervisor_state::ended(ssh::exec_id id, ssh::exec_outcome& outcome) {
  execution& x = executions.at(id);
  setback reason = x.ended_for;
  const termination how = termination_of(x, outcome);
  if (how == termination::killed) {
    reason.text += "; the remote process was killed";
  } else if (how == termination::survivors) {
    reason.text += "; processes of it live on: " + caf::deep_to_string(x.report->survivors);
  } else if (has_ended(outcome)) {
    x.progress = progress::finished;
    reason.text += "; it had exited, but its output had not ended";
  } else {
    reason.text += "; whether the remote process ended is unknown";
  }
  failure what = describe(x, reason);
  what.termination = how;
  fail(id, reason.code, with_output(std::move(what), to_output(outcome)));
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
      x.was_replaced = true;
      x.forget_attempt();
      cancel_timers(id);
      wait_again(id);
      continue;
    }
    if (has_ended(outcome))
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
  return x.where == stage::running && x.reused_connection && !x.was_replaced && !x.input_consumed
         && x.command.retry == retry_policy::always && life != life_stage::closing
         && connection->bytes_received() == x.heard_before;
}

void machine_supervisor_state::drop_connection() {
  ++connection_number;
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
                 "the server was silent for " + to_text(silence)});
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
  if (life != life_stage::serving && executions.empty())
    leave();
  else
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
                             "no connection within " + to_text(config.connect_timeout)
                               + " (stopped at: " + connect_step + ')'});
    case timer::next_address:
      if (connection && connection->try_next_address())
        set_timer(timer::next_address, address_delay);
      return;
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
                     + to_text(config.connect_timeout)});
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
  if (x.command.retry == retry_policy::never || circuit.is_probing())
    return 1;
  return static_cast<std::uint32_t>(config.retry_delays.size()) + 1;
}

caf::timespan machine_supervisor_state::delay_after(std::uint32_t failed) {
  if (config.retry_delays.empty())
    return caf::timespan{0};
  const auto last = config.retry_delays.size() - 1;
  const caf::timespan delay = config.retry_delays[std::min<std::size_t>(failed - 1, last)];
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
    [self](tick_atom) { self->state.tick(); },
  };
}

} // namespace sshexec
