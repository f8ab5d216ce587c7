#include "sshexec/actors/pool/machine_supervisor.hpp"

#include "sshexec/actors/pool/host_key_verdict.hpp"
#include "sshexec/actors/runtime/borrowed_thread.hpp"
#include "sshexec/actors/runtime/duration_text.hpp"
#include "sshexec/ssh/dialer.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
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

/// Other messages get their turn after so many rounds of news from the connection.
constexpr int max_rounds = 8;

/// Sent data that is not acknowledged for so many keep-alive intervals means that the peer is gone.
constexpr int silent_intervals = 3;

const setback shutting_down{error_code::shutting_down, connection_fault::none,
                            "the executor is shutting down"};

setback connection_setback(connection_fault fault, std::string text) {
  return {error_code::connection_error, fault, std::move(text)};
}

setback command_setback(error_code code, std::string text) {
  return {code, connection_fault::none, std::move(text)};
}

/// Nobody can guess it, so that no command can pass for another one's.
std::string make_token() {
  std::random_device random;
  std::string result = "sshexec";
  for (int i = 0; i < 4; ++i) {
    std::array<char, 8> digits{};
    char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), random(), 16).ptr;
    result.append(digits.data(), end);
  }
  return result;
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
  const auto reason = objection();
  const execution& x
    = commands.add(id, {std::move(what), caller, reply<command_result>{promise}, now()});
  activity.tell(pool_event_kind::command_received, x, now());
  if (x.command.deadline)
    set_timer(timer::deadline, *x.command.deadline, id);
  if (reason)
    refuse(id, *reason);
  else
    enqueue(id);
  pursue();
  drive_soon();
  return promise;
}

std::optional<setback> machine_supervisor_state::objection() const {
  if (life == life_stage::closing)
    return shutting_down;
  const std::size_t waiting = commands.in(stage::waiting).size();
  if (waiting >= config.max_queued)
    return command_setback(error_code::overloaded, std::to_string(waiting)
                                                     + " commands wait for this machine already");
  return retries.objection(now());
}

void machine_supervisor_state::watch(const caf::actor_addr& whom) {
  if (whom && watched.insert(whom).second)
    self->monitor(whom);
}

void machine_supervisor_state::enqueue(ssh::exec_id id) {
  commands.move(id, stage::waiting);
  if (link.is<attempt>())
    join_attempt(id);
}

void machine_supervisor_state::pursue() {
  look_at_attempt();
  look_at_peer();
  look_at_channels();
  if (link.is<machine_link::idle>() && !commands.in(stage::waiting).empty())
    connect();
}

void machine_supervisor_state::look_at_attempt() {
  if (auto* const x = link.get<attempt>()) {
    x->try_next_address(now());
    if (x->expires && now() >= *x->expires)
      attempt_failed(connection_setback(connection_fault::timed_out,
                                        "no connection within " + to_text(config.connect_timeout)
                                          + " (stopped at: " + x->step + ')'));
  } else if (const auto* const delay = link.get<machine_link::delay>();
             delay != nullptr && now() >= delay->until) {
    if (commands.in(stage::waiting).empty())
      retries.start_afresh();
    link.drop();
  }
}

void machine_supervisor_state::look_at_peer() {
  auto* const x = link.get<established>();
  if (x == nullptr)
    return;
  switch (x->peer.look(now(), x->connection->is_reading())) {
    case liveness::verdict::wait:
      return;
    case liveness::verdict::ask:
      x->connection->send_keepalive();
      must_drive = true;
      return;
    case liveness::verdict::lost:
      return lost(connection_setback(connection_fault::timed_out,
                                     "the server was silent for "
                                       + to_text(x->peer.silence(now()))));
  }
}

void machine_supervisor_state::look_at_channels() {
  using step = channel_pool::step;
  for (;;) {
    auto* const x = link.get<established>();
    if (x == nullptr)
      return;
    if (must_renew(*x))
      return renew();
    switch (x->channels.next(now(), demand(*x))) {
      case step::wait:
        return;
      case step::start_command:
        start(*x, *commands.in(stage::waiting).begin());
        break;
      case step::start_hunt:
        start_hunt(*x);
        break;
      case step::open_spare:
        open_spare(*x);
        break;
      case step::give_up_connection:
        return lost(connection_setback(connection_fault::dropped,
                                       "the server did not close channels that were given up"));
    }
  }
}

bool machine_supervisor_state::must_renew(const established& x) const {
  // One that has carried nothing yet is as good as a new one.
  const bool is_old = x.grows_old && now() >= *x.grows_old && x.channels.commands_sent() > 0;
  return (is_old && x.channels.is_unused()) || (x.is_outdated && commands.on_channels() == 0);
}

channel_pool::demand machine_supervisor_state::demand(const established& x) const {
  channel_pool::demand result;
  result.command = !x.is_outdated && !commands.in(stage::waiting).empty();
  result.hunt = x.hunting.any_wanted();
  result.spare = !x.is_outdated && life == life_stage::serving;
  result.running = commands.on_channels() > 0;
  result.tracked = commands.tracks();
  return result;
}

// -- a connection comes about --------------------------------------------------------------------

machine_link::attempt& machine_supervisor_state::connect() {
  attempt& result = link.begin_attempt(now(), config.connect_timeout);
  tell(pool_event_kind::connecting);
  for (const ssh::exec_id id : commands.in(stage::waiting))
    join_attempt(id);
  ask<ssh::login>(
    services.keys,
    [this](attempt& x, ssh::login& login) {
      login_name = login.username;
      x.login = std::move(login);
      queue_when_prepared(x);
    },
    load_atom::value, target);
  ask<std::vector<ssh::address>>(
    services.resolver,
    [this](attempt& x, std::vector<ssh::address>& addresses) {
      x.addresses = std::move(addresses);
      queue_when_prepared(x);
    },
    resolve_atom::value, target.hostname, target.port);
  if (config.host_key_policy == host_key_policy::off) {
    result.known.emplace();
    return result;
  }
  ask<ssh::known_keys>(
    services.host_keys,
    [this](attempt& x, ssh::known_keys& known) {
      x.known = std::move(known);
      queue_when_prepared(x);
    },
    look_up_atom::value, target.hostname, target.port);
  return result;
}

void machine_supervisor_state::join_attempt(ssh::exec_id id) {
  execution& x = commands.at(id);
  x.begin_attempt();
  x.enter(phase::connect, now());
}

template <class Answer, class Service, class Handler, class... Arguments>
void machine_supervisor_state::ask(const Service& service, Handler on_answer,
                                   const Arguments&... arguments) {
  self->request(service, caf::infinite, arguments...)
    .then(
      [this, number = link.number(), on_answer](Answer& answer) {
        proceed(number, [&](attempt& x) { on_answer(x, answer); });
      },
      [this, number = link.number()](const caf::error& reason) {
        proceed(number, [&](attempt&) { attempt_failed(to_setback(reason)); });
      });
}

template <class Step>
void machine_supervisor_state::proceed(std::uint64_t number, Step step) {
  auto* const x = link.get<attempt>();
  if (x == nullptr || number != link.number())
    return;
  step(*x);
  drive();
}

void machine_supervisor_state::queue_when_prepared(attempt& x) {
  if (!x.is_prepared())
    return;
  x.step = "waiting for its turn to connect";
  // The wait for others that connect to the same address is no fault of the machine's.
  x.time_left = *x.expires - now();
  x.expires.reset();
  x.place = gate_place{
    [me = self, gate = services.gate] { me->send(gate, done_atom::value); }};
  const auto number = link.number();
  self
    ->request(services.gate, caf::infinite, admit_atom::value, ssh::to_string(x.addresses->front()))
    .then([this, number] { proceed(number, [this](attempt& waiting) { dial(waiting); }); },
          [this, number](const caf::error& reason) {
            proceed(number, [&](attempt&) { attempt_failed(to_setback(reason)); });
          });
}

void machine_supervisor_state::dial(attempt& x) {
  if (commands.in(stage::waiting).empty())
    return attempt_failed(
      command_setback(error_code::cancelled, "nobody waits for the connection any more"));
  x.expires = now() + x.time_left;
  ssh::connection_settings wanted;
  wanted.addresses = std::move(*x.addresses);
  wanted.username = login_name.empty() ? target.username : login_name;
  wanted.keys = std::move(x.login->keys);
  wanted.agents = std::move(x.login->agents);
  for (const ssh::host_key& key : x.known->trusted)
    wanted.preferred_host_key_types.push_back(key.type);
  wanted.peer_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
    config.keepalive_interval * silent_intervals);
  // The poller must not keep a supervisor alive, and may notify one that is gone.
  auto notify
    = [weak_self = caf::actor_cast<caf::weak_actor_ptr>(self), number = link.number()] {
        if (auto strong_self = weak_self.lock())
          borrowed_thread{*strong_self->home_system}.deliver(strong_self, ready_atom::value,
                                                             number);
      };
  x.step = "connecting";
  if (wanted.addresses.size() > 1)
    x.next_address = now() + ssh::address_delay;
  x.connection = services.connect(std::move(wanted), std::move(notify));
  must_drive = true;
}

void machine_supervisor_state::transport_connected() {
  auto* const x = link.get<attempt>();
  x->step = "exchanging keys";
  x->next_address.reset();
}

void machine_supervisor_state::host_key_presented(const ssh::host_key& key) {
  auto* const x = link.get<attempt>();
  const host_key_verdict verdict = judge(config.host_key_policy, *x->known, key);
  switch (verdict.what) {
    case host_key_verdict::kind::trust:
      return trust_host_key(*x);
    case host_key_verdict::kind::refuse:
      return attempt_failed(command_setback(error_code::host_key_error, verdict.reason));
    case host_key_verdict::kind::remember:
      return ask<ssh::host_key>(
        services.host_keys,
        [this](attempt& asking, const ssh::host_key&) { trust_host_key(asking); },
        remember_atom::value, target.hostname, target.port, key);
  }
}

void machine_supervisor_state::trust_host_key(attempt& x) {
  x.step = "authenticating";
  x.connection->authenticate();
  must_drive = true;
}

void machine_supervisor_state::connected() {
  tell(pool_event_kind::connected);
  retries.connected();
  link.establish(now(), {config.max_channels, config.spare_channel, config.connect_timeout},
                 config.keepalive_interval, config.max_connection_age);
  for (const ssh::exec_id id : commands.in(stage::waiting))
    commands.at(id).enter(phase::queue, now());
}

void machine_supervisor_state::attempt_failed(const setback& reason) {
  const auto* const failed = link.get<attempt>();
  // What failed with outdated credentials may succeed with the new ones.
  const bool may_pass = reason.retriable() || (failed != nullptr && failed->is_outdated);
  retries.attempt_failed();
  tell(pool_event_kind::connect_failed, &reason);
  drop_link();
  bool gave_up = !may_pass;
  const auto waiting = commands.in(stage::waiting);
  for (const ssh::exec_id id : waiting) {
    execution& x = commands.at(id);
    x.attempting = false;
    x.enter(phase::queue, now());
    if (may_pass && x.attempts < allowed_attempts(x))
      continue;
    gave_up = true;
    refuse(id, reason);
  }
  if (gave_up)
    retries.round_failed(reason, now());
  const auto left_alone = gave_up ? retries.objection(now()) : std::nullopt;
  while (left_alone && !commands.in(stage::waiting).empty())
    refuse(*commands.in(stage::waiting).begin(), *left_alone);
  if (commands.in(stage::waiting).empty())
    retries.start_afresh();
  else
    link.wait_until(now() + retries.delay());
}

// -- a command runs ------------------------------------------------------------------------------

void machine_supervisor_state::start(established& on, ssh::exec_id id) {
  commands.move(id, stage::opening);
  execution& x = commands.at(id);
  x.begin_attempt();
  x.reused_connection = on.channels.commands_sent() > 0;
  if (x.command.tracked) {
    x.token = make_token();
    x.process_group.reset();
  }
  x.heard_before = on.connection->bytes_received();
  x.on_spare = start_on_channel(on, id, x.request());
  set_timer(timer::open_channel, config.connect_timeout, id);
}

void machine_supervisor_state::start_hunt(established& on) {
  const ssh::exec_id hunter = ++last_id;
  const execution& victim = commands.at(on.hunting.begin(hunter));
  start_on_channel(
    on, hunter,
    ssh::kill_request(*victim.process_group, victim.token,
                      std::chrono::duration_cast<std::chrono::milliseconds>(config.kill_grace)));
}

void machine_supervisor_state::open_spare(established& on) {
  on.channels.spare_requested();
  on.connection->open_spare();
  must_drive = true;
}

bool machine_supervisor_state::start_on_channel(established& on, ssh::exec_id id,
                                                ssh::exec_request request) {
  request.takes_spare = on.channels.take(on.peer.is_in_doubt());
  const bool takes_spare = request.takes_spare;
  on.connection->start(id, std::move(request));
  must_drive = true;
  return takes_spare;
}

void machine_supervisor_state::exec_sent(ssh::exec_id id) {
  established& on = *link.get<established>();
  on.channels.exec_sent();
  retries.start_afresh();
  execution* const x = commands.find(id);
  if (x == nullptr)
    return;
  commands.move(id, stage::running);
  // That the spare channel is open was asked before the command came, and says nothing about it.
  if (x->on_spare)
    x->heard_before = on.connection->bytes_received();
  x->progress = progress::may_have_run;
  x->enter(phase::run, now());
  activity.tell(pool_event_kind::command_started, *x, now());
  timers.cancel({timer::open_channel, id});
  set_timer(timer::run, *x->command.timeout, id);
  send_early_input(id);
}

void machine_supervisor_state::process_group_told(const ssh::event::tracked& e) {
  execution* const x = commands.find(e.id);
  if (x == nullptr)
    return;
  x->process_group = e.process_group;
  // It was to be ended before it could be found.
  if (x->where() == stage::ending)
    hunt(e.id);
}

void machine_supervisor_state::channel_refused(ssh::exec_id id, std::uint32_t reason) {
  established& on = *link.get<established>();
  on.hunting.refused(id);
  if (!on.channels.refused(id, now()))
    return lost(connection_setback(connection_fault::dropped,
                                   "the server refused a session channel (reason "
                                     + std::to_string(reason) + ") though none was open"));
  // Its turn comes when one of the others has closed; that is no attempt of its own.
  if (commands.find(id) != nullptr) {
    timers.cancel({timer::open_channel, id});
    leave_channel(id, stage::waiting);
  }
}

void machine_supervisor_state::exec_refused(ssh::exec_id id, std::string reason) {
  established& on = *link.get<established>();
  on.channels.leave(id, now());
  if (const auto victim = on.hunting.end(id))
    return hunt_ended(*victim, std::nullopt);
  execution* const x = commands.find(id);
  if (x == nullptr)
    return;
  x->progress = progress::not_started;
  refuse(id, command_setback(error_code::rejected, std::move(reason)));
}

void machine_supervisor_state::exec_ended(ssh::exec_id id, ssh::exec_outcome outcome) {
  established& on = *link.get<established>();
  on.channels.leave(id, now());
  if (const auto victim = on.hunting.end(id))
    return hunt_ended(*victim, ssh::parse_kill_report(outcome.stdout_data));
  execution* const x = commands.find(id);
  if (x == nullptr)
    return;
  if (x->where() == stage::ending)
    return act_on_end(id, x->end->channel_ended(std::move(outcome)));
  if (!outcome.has_ended())
    return retry_or_fail(id,
                         connection_setback(connection_fault::dropped,
                                            "the channel closed without an exit status"),
                         to_output(outcome));
  if (x->unanswered_chunks == 0)
    return succeed(id, std::move(outcome));
  // Whoever sees the result has seen all output. The run timeout bounds the wait.
  commands.move(id, stage::delivering);
  x->outcome = std::move(outcome);
}

ssh::exec_outcome machine_supervisor_state::abandon(ssh::exec_id id) {
  established& on = *link.get<established>();
  on.channels.leave(id, now());
  must_drive = true;
  return on.connection->abandon(id);
}

void machine_supervisor_state::leave_channel(ssh::exec_id id, stage next) {
  commands.move(id, next);
  commands.at(id).enter(phase::queue, now());
}

void machine_supervisor_state::end_attempt(ssh::exec_id id, const setback& reason, stage next) {
  execution& x = commands.at(id);
  activity.tell(pool_event_kind::command_retried, x, now(), reason.code, reason.text);
  cancel_timers(id);
  x.attempting = false;
  leave_channel(id, next);
}

void machine_supervisor_state::retry_or_fail(ssh::exec_id id, const setback& reason,
                                             command_output output) {
  execution& x = commands.at(id);
  const bool may_repeat
    = life != life_stage::closing && !x.input_consumed
      && (x.command.retry == retry_policy::always || x.progress == progress::not_started);
  if (may_repeat && x.attempts < allowed_attempts(x)) {
    end_attempt(id, reason, stage::delayed);
    return set_timer(timer::retry, retries.delay_after(x.counted_attempts()), id);
  }
  failure what = describe(x, reason);
  what.output = std::move(output);
  fail(id, reason.code, std::move(what));
}

std::uint32_t machine_supervisor_state::allowed_attempts(const execution& x) const {
  return x.free_attempts + retries.allowed_attempts(x.command.retry);
}

// -- input and output as they come ---------------------------------------------------------------

caf::result<void> machine_supervisor_state::input(const std::string& command_id, std::string& data,
                                                  bool end) {
  const auto caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  for (const ssh::exec_id id : commands.of_caller(caller, command_id)) {
    execution& x = commands.at(id);
    if (!x.command.stdin_open || x.input_ended)
      continue;
    auto promise = self->make_response_promise<void>();
    x.feeders.emplace_back(promise);
    x.input_ended = end;
    x.early_input += data;
    if (x.where() == stage::running)
      send_early_input(id);
    drive();
    return promise;
  }
  failure reason;
  reason.message = to_address(target) + ": no command takes this input";
  return make_failure(error_code::invalid_argument, std::move(reason));
}

void machine_supervisor_state::send_early_input(ssh::exec_id id) {
  execution& x = commands.at(id);
  if (x.early_input.empty() && !x.input_ended)
    return;
  link.connection()->write(id, std::exchange(x.early_input, {}), x.input_ended);
  x.input_consumed = true;
  must_drive = true;
}

void machine_supervisor_state::input_wanted(ssh::exec_id id) {
  execution* const x = commands.find(id);
  if (x == nullptr)
    return;
  for (reply<void>& feeder : std::exchange(x->feeders, {}))
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
  execution* const x = commands.find(e.id);
  const std::uint64_t bytes = e.data.size();
  if (x == nullptr || !x->command.output_to)
    return grant(e.id, bytes);
  ++x->unanswered_chunks;
  output_chunk chunk{x->command.id,
                     e.is_stderr ? output_stream::stderr_stream : output_stream::stdout_stream,
                     x->attempts, std::move(e.data)};
  const auto answered = [this, id = e.id, bytes, number = link.number()] {
    output_taken(id, bytes, number);
    drive();
  };
  self->request(x->command.output_to, caf::infinite, std::move(chunk))
    .then(answered, [this, answered, consumer = x->command.output_to.address()](const caf::error&) {
      commands.consumer_ended(consumer);
      answered();
    });
}

void machine_supervisor_state::output_taken(ssh::exec_id id, std::uint64_t bytes,
                                            std::uint64_t number) {
  if (number == link.number())
    grant(id, bytes);
  execution* const x = commands.find(id);
  if (x == nullptr)
    return;
  --x->unanswered_chunks;
  if (x->where() == stage::delivering && x->unanswered_chunks == 0)
    succeed(id, std::move(x->outcome));
}

void machine_supervisor_state::grant(ssh::exec_id id, std::uint64_t bytes) {
  link.connection()->grant(id, bytes);
  must_drive = true;
}

void machine_supervisor_state::output_overrun(ssh::exec_id id) {
  if (commands.find(id) == nullptr)
    return;
  const setback reason = command_setback(
    error_code::overloaded,
    "its consumer left so much of its output that others could not be served beside it");
  end_command(id, reason);
  if (commands.find(id) != nullptr)
    act_on_end(id, command_end::step::give_up);
}

// -- a command is ended --------------------------------------------------------------------------

void machine_supervisor_state::time_is_up(ssh::exec_id id) {
  end_command(id, command_setback(error_code::command_timeout,
                                  "the command ran longer than "
                                    + to_text(*commands.at(id).command.timeout)));
}

void machine_supervisor_state::deadline_passed(ssh::exec_id id) {
  const execution& x = commands.at(id);
  const char* phase_name = x.current_phase == phase::queue     ? "it waited"
                           : x.current_phase == phase::connect ? "the connection was made"
                                                               : "it ran";
  end_command(id, command_setback(error_code::command_timeout,
                                  "the command's deadline of " + to_text(*x.command.deadline)
                                    + " passed while " + phase_name));
}

void machine_supervisor_state::cancel(const std::string& command_id) {
  const auto caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  const setback reason = command_setback(error_code::cancelled, "the caller cancelled the command");
  for (const ssh::exec_id id : commands.of_caller(caller, command_id))
    end_command(id, reason);
}

void machine_supervisor_state::caller_ended(const caf::actor_addr& caller) {
  const setback reason = command_setback(error_code::cancelled, "the caller ended");
  for (const ssh::exec_id id : commands.of_caller(caller)) {
    if (!commands.at(id).command.outlives_caller)
      end_command(id, reason);
  }
}

void machine_supervisor_state::end_command(ssh::exec_id id, const setback& reason) {
  execution& x = commands.at(id);
  switch (x.where()) {
    case stage::waiting:
    case stage::delayed:
      return refuse(id, reason);
    case stage::opening:
      abandon(id);
      return refuse(id, reason);
    case stage::running:
      return begin_end(id, reason);
    case stage::ending:
      return;
    case stage::delivering:
      return succeed(id, std::move(x.outcome));
  }
}

void machine_supervisor_state::begin_end(ssh::exec_id id, const setback& reason) {
  commands.move(id, stage::ending);
  execution& x = commands.at(id);
  x.end.emplace(reason, command_end::rules{config.kill_grace, config.connect_timeout}, now());
  timers.cancel({timer::run, id});
  link.connection()->signal(id, "TERM");
  must_drive = true;
  if (x.process_group)
    hunt(id);
  act_on_end(id, command_end::step::wait);
}

void machine_supervisor_state::act_on_end(ssh::exec_id id, command_end::step what) {
  command_end& end = *commands.at(id).end;
  switch (what) {
    case command_end::step::kill:
      link.connection()->signal(id, "KILL");
      must_drive = true;
      [[fallthrough]];
    case command_end::step::wait:
      return timers.set({timer::end, id}, end.deadline());
    case command_end::step::give_up:
    case command_end::step::conclude:
      return conclude(id, end.outcome() ? std::move(*end.outcome()) : abandon(id));
  }
}

void machine_supervisor_state::hunt(ssh::exec_id victim) {
  commands.at(victim).end->hunt_begins();
  link.get<established>()->hunting.want(victim);
}

void machine_supervisor_state::hunt_ended(ssh::exec_id victim,
                                          std::optional<ssh::kill_report> report) {
  act_on_end(victim, commands.at(victim).end->hunt_ended(std::move(report)));
}

void machine_supervisor_state::conclude(ssh::exec_id id, ssh::exec_outcome outcome) {
  execution& x = commands.at(id);
  const command_end::conclusion known = x.end->conclude(outcome);
  if (known.had_exited)
    x.progress = progress::finished;
  failure what = describe(x, known.reason);
  what.termination = known.termination;
  what.output = to_output(outcome);
  fail(id, known.reason.code, std::move(what));
}

// -- the connection ends -------------------------------------------------------------------------

void machine_supervisor_state::lost(const setback& reason) {
  const auto* const on = link.get<established>();
  if (on == nullptr)
    return attempt_failed(reason);
  tell(pool_event_kind::connection_lost, &reason);
  // A connection that never carried a command is no better than one that was never made.
  const bool proven = on->channels.commands_sent() > 0 || commands.empty();
  const auto opening = commands.in(stage::opening);
  for (const ssh::exec_id id : opening) {
    timers.cancel({timer::open_channel, id});
    if (!proven || commands.at(id).forgive_attempt())
      leave_channel(id, stage::waiting);
    else
      retry_or_fail(id, reason, {});
  }
  const auto running = commands.in(stage::running);
  for (const ssh::exec_id id : running)
    interrupted(id, reason);
  const auto ending = commands.in(stage::ending);
  for (const ssh::exec_id id : ending)
    act_on_end(id, command_end::step::give_up);
  if (!proven)
    return attempt_failed(reason);
  drop_link();
  retries.start_afresh();
}

void machine_supervisor_state::interrupted(ssh::exec_id id, const setback& reason) {
  ssh::exec_outcome outcome = abandon(id);
  execution& x = commands.at(id);
  if (met_a_dead_connection(x)) {
    x.free_attempts = 1;
    return end_attempt(id, reason, stage::waiting);
  }
  if (outcome.has_ended())
    x.progress = progress::finished;
  retry_or_fail(id, reason, to_output(outcome));
}

bool machine_supervisor_state::met_a_dead_connection(const execution& x) const {
  return x.reused_connection && x.free_attempts == 0 && !x.input_consumed
         && x.command.retry == retry_policy::always && life != life_stage::closing
         && link.connection()->bytes_received() == x.heard_before;
}

void machine_supervisor_state::drop_link() {
  link.drop();
  must_drive = false;
}

void machine_supervisor_state::renew() {
  tell(pool_event_kind::connection_closed);
  drop_link();
}

void machine_supervisor_state::credentials_changed() {
  retries.credentials_changed();
  if (auto* const there = link.get<established>()) {
    there->is_outdated = true;
  } else if (auto* const x = link.get<attempt>(); x != nullptr && x->is_restart) {
    // Once more would be for ever if they change more often than a connect takes.
    x->is_outdated = true;
  } else if (x != nullptr) {
    drop_link();
    if (!commands.in(stage::waiting).empty())
      connect().is_restart = true;
  }
}

void machine_supervisor_state::expire() {
  if (link.is<established>())
    tell(pool_event_kind::connection_closed);
  drop_link();
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
  for (const ssh::exec_id id : commands.all()) {
    const stage where = commands.at(id).where();
    if (where == stage::waiting || where == stage::delayed || where == stage::opening)
      end_command(id, shutting_down);
  }
  if (config.drain_timeout.count() > 0)
    set_timer(timer::drain, config.drain_timeout);
  else
    drained();
}

void machine_supervisor_state::drained() {
  for (const ssh::exec_id id : commands.all())
    end_command(id, shutting_down);
}

void machine_supervisor_state::leave() {
  if (link.is<established>())
    tell(pool_event_kind::connection_closed);
  drop_link();
  // Those who live longer would keep what is left of this actor in memory.
  self->demonitor(caf::actor_cast<caf::actor_addr>(registry));
  for (const caf::actor_addr& whom : watched)
    self->demonitor(whom);
  self->quit();
}

// -- a request is answered -----------------------------------------------------------------------

void machine_supervisor_state::succeed(ssh::exec_id id, ssh::exec_outcome outcome) {
  execution& x = commands.at(id);
  x.enter(phase::run, now());
  command_result result = to_result(x, std::move(outcome));
  execution_record record = to_record(x, target);
  record.exit_code = result.exit_code;
  record.exit_signal = result.exit_signal;
  // First the journal, so that its lines are in the order in which callers saw their answers.
  self->send(services.journal, std::move(record));
  dismiss_feeders(x);
  activity.succeeded(result.duration);
  activity.tell(pool_event_kind::command_finished, x, now());
  x.answer.deliver(std::move(result));
  finish(id);
}

void machine_supervisor_state::fail(ssh::exec_id id, error_code code, failure what) {
  execution& x = commands.at(id);
  x.enter(x.current_phase, now());
  what.times = x.times;
  what.duration = x.elapsed();
  execution_record record = to_record(x, target);
  record.outcome = code;
  record.message = what.message;
  self->send(services.journal, std::move(record));
  dismiss_feeders(x);
  activity.failed();
  activity.tell(pool_event_kind::command_finished, x, now(), code, what.message);
  x.answer.fail(make_failure(code, std::move(what)));
  finish(id);
}

void machine_supervisor_state::refuse(ssh::exec_id id, const setback& reason) {
  fail(id, reason.code, describe(commands.at(id), reason));
}

void machine_supervisor_state::finish(ssh::exec_id id) {
  if (auto* const on = link.get<established>()) {
    // Nobody waits for the report of a hunt that is still under way.
    if (const auto hunter = on->hunting.forget(id))
      abandon(*hunter);
  }
  cancel_timers(id);
  timers.cancel({timer::deadline, id});
  commands.remove(id);
  if (commands.empty())
    set_timer(timer::idle, config.idle_timeout);
}

failure machine_supervisor_state::describe(const execution& x, const setback& reason) const {
  machine named = target;
  if (!login_name.empty())
    named.username = login_name;
  return sshexec::describe(x, named, reason);
}

// -- others are told -----------------------------------------------------------------------------

void machine_supervisor_state::tell(pool_event_kind kind, const setback* reason) const {
  activity.tell(kind, now() - link.since(), retries.failures(), reason);
}

machine_status machine_supervisor_state::status() const {
  machine_status result = activity.status();
  result.state = link.state();
  const std::size_t waiting = commands.in(stage::waiting).size() + commands.in(stage::delayed).size();
  result.waiting = static_cast<std::uint32_t>(waiting);
  result.running = static_cast<std::uint32_t>(commands.size() - waiting);
  if (const auto* const on = link.get<established>()) {
    result.open_channels = on->channels.slots().open();
    result.channel_limit = on->channels.slots().limit();
    result.connected_since = on->connected_at;
  }
  return result;
}

// -- plumbing ------------------------------------------------------------------------------------

void machine_supervisor_state::advance() {
  ssh::connection* const connection = link.connection();
  if (connection == nullptr)
    return;
  const auto number = link.number();
  auto events = connection->advance();
  if (auto* const on = link.get<established>())
    on->peer.heard(connection->bytes_received(), now());
  for (ssh::connection_event& event : events) {
    // An event may end the connection that it came from.
    if (number != link.number())
      return;
    react(event);
  }
}

void machine_supervisor_state::react(ssh::connection_event& event) {
  namespace ev = ssh::event;
  std::visit(overloaded{
               [this](ev::transport_connected) { transport_connected(); },
               [this](ev::host_key_presented& e) { host_key_presented(e.key); },
               [this](ev::authenticated) { connected(); },
               [this](ev::exec_sent e) { exec_sent(e.id); },
               [this](ev::output& e) { output(e); },
               [this](ev::output_overrun e) { output_overrun(e.id); },
               [this](ev::input_wanted e) { input_wanted(e.id); },
               [this](ev::spare_ended e) {
                 link.get<established>()->channels.spare_ended(e.refused);
               },
               [this](ev::tracked e) { process_group_told(e); },
               [this](ev::channel_refused e) { channel_refused(e.id, e.reason); },
               [this](ev::exec_refused& e) { exec_refused(e.id, std::move(e.reason)); },
               [this](ev::exec_ended& e) { exec_ended(e.id, std::move(e.outcome)); },
               [this](ev::channel_closed e) { link.get<established>()->channels.closed(e.id); },
               [this](ev::lost& e) { lost(to_setback(e.reason)); },
             },
             event);
}

void machine_supervisor_state::drive() {
  will_drive = false;
  for (int round = 0; round < max_rounds; ++round) {
    must_drive = false;
    advance();
    pursue();
    if (!must_drive)
      break;
  }
  if (must_drive)
    drive_soon();
  settle();
}

void machine_supervisor_state::drive_soon() {
  if (!std::exchange(will_drive, true))
    self->send(self, drive_atom::value);
}

void machine_supervisor_state::settle() {
  if (life != life_stage::serving && commands.empty())
    return leave();
  if (auto* const connection = link.connection())
    connection->flush();
  if (const auto when = link.deadline())
    timers.set({timer::look, 0}, *when);
  else
    timers.cancel({timer::look, 0});
  if (const auto when = timers.tick_to_send())
    self->delayed_send(self, std::max(*when - now(), duration{0}), tick_atom::value);
}

void machine_supervisor_state::ready(std::uint64_t number) {
  if (number == link.number())
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
    case timer::look:
      // Whoever drives looks.
      return;
    case timer::idle:
      return expire();
    case timer::drain:
      return drained();
    case timer::deadline:
      return deadline_passed(id);
    case timer::open_channel:
      return lost(connection_setback(connection_fault::timed_out,
                                     "the server did not answer the request for a channel within "
                                       + to_text(config.connect_timeout)));
    case timer::run:
      return time_is_up(id);
    case timer::end:
      return act_on_end(id, commands.at(id).end->look(now()));
    case timer::retry:
      return enqueue(id);
  }
}

void machine_supervisor_state::set_timer(timer what, duration delay, ssh::exec_id id) {
  timers.set({what, id}, now() + delay);
}

void machine_supervisor_state::cancel_timers(ssh::exec_id id) {
  for (const timer what : {timer::open_channel, timer::run, timer::end, timer::retry})
    timers.cancel({what, id});
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
  state.retries = retry_plan{state.config};
  state.activity = machine_activity{state.target};
  self->monitor(registry);
  self->set_exit_handler([self](const caf::exit_msg&) {
    self->state.shut_down();
    self->state.drive();
  });
  self->set_down_handler([self](const caf::down_msg& message) {
    auto& state = self->state;
    state.watched.erase(message.source);
    state.commands.consumer_ended(message.source);
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
      self->state.activity.observe(std::move(observers));
    },
    [self](ready_atom, std::uint64_t number) { self->state.ready(number); },
    [self](drive_atom) { self->state.drive(); },
    [self](tick_atom) { self->state.tick(); },
  };
}

} // namespace sshexec
