#include "sshexec/actors/pool/command_runner.hpp"

#include "sshexec/actors/runtime/duration_text.hpp"
#include "sshexec/actors/runtime/may_end.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <random>
#include <utility>

namespace sshexec {

namespace {

setback command_setback(error_code code, std::string text) {
  return {code, connection_fault::none, std::move(text)};
}

caf::error input_error(const machine& target, const char* why) {
  return make_failure(error_code::invalid_argument, about(target, why));
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

command_runner::command_runner(surroundings around)
  : around_(std::move(around)), activity_(*around_.asked) {}

time_point command_runner::now() const {
  return around_.self->clock().now();
}

// -- a command arrives ---------------------------------------------------------------------------

void command_runner::add(command& what, caf::actor_addr caller, reply<command_result> answer,
                         const std::optional<setback>& objection) {
  const ssh::exec_id id = ++last_id_;
  const execution& x
    = commands_.add(id, {std::move(what), std::move(caller), std::move(answer), now()});
  activity_.tell(pool_event_kind::command_received, x, now());
  if (objection)
    return refuse(id, *objection);
  if (x.command.deadline)
    set_timer(timer::deadline, *x.command.deadline, id);
  enqueue(id);
}

void command_runner::enqueue(ssh::exec_id id) {
  commands_.move(id, stage::waiting);
  if (!around_.link->is<machine_link::attempt>())
    return;
  execution& x = commands_.at(id);
  x.begin_attempt();
  x.enter(phase::connect, now());
}

void command_runner::join_attempt() {
  for (const ssh::exec_id id : commands_.in(stage::waiting)) {
    execution& x = commands_.at(id);
    x.begin_attempt();
    x.enter(phase::connect, now());
  }
}

void command_runner::connected() {
  for (const ssh::exec_id id : commands_.in(stage::waiting))
    commands_.at(id).enter(phase::queue, now());
}

bool command_runner::attempt_failed(const setback& reason, bool may_pass) {
  bool gave_up = false;
  const auto waiting = commands_.in(stage::waiting);
  for (const ssh::exec_id id : waiting) {
    execution& x = commands_.at(id);
    x.attempting = false;
    x.enter(phase::queue, now());
    if (may_pass && x.attempts < allowed_attempts(x))
      continue;
    gave_up = true;
    refuse(id, reason);
  }
  return gave_up;
}

void command_runner::refuse_waiting(const setback& reason) {
  while (any_waits())
    refuse(*commands_.in(stage::waiting).begin(), reason);
}

// -- a command runs ------------------------------------------------------------------------------

void command_runner::start_next(established& on) {
  const ssh::exec_id id = *commands_.in(stage::waiting).begin();
  commands_.move(id, stage::opening);
  execution& x = commands_.at(id);
  x.begin_attempt();
  x.reused_connection = on.channels.commands_sent() > 0;
  if (x.command.tracked) {
    x.token = make_token();
    x.process_group.reset();
  }
  x.heard_before = on.connection->bytes_received();
  auto request = x.request();
  request.environment.insert(around_.environment->begin(), around_.environment->end());
  x.on_spare = start_on_channel(on, id, std::move(request));
  set_timer(timer::open_channel, around_.config->connect_timeout, id);
}

void command_runner::start_hunt(established& on) {
  const ssh::exec_id hunter = ++last_id_;
  const execution& victim = commands_.at(on.hunting.begin(hunter));
  const auto grace
    = std::chrono::duration_cast<std::chrono::milliseconds>(around_.config->kill_grace);
  start_on_channel(on, hunter, ssh::kill_request(*victim.process_group, victim.token, grace));
}

/// Tells whether that is the spare channel.
bool command_runner::start_on_channel(established& on, ssh::exec_id id, ssh::exec_request request) {
  const bool takes_spare = on.channels.take(on.peer.is_in_doubt());
  request.takes_spare = takes_spare;
  on.ask().start(id, std::move(request));
  return takes_spare;
}

void command_runner::exec_sent(established& on, ssh::exec_id id) {
  execution* const x = commands_.find(id);
  if (x == nullptr)
    return;
  commands_.move(id, stage::running);
  // That the spare channel is open was asked before the command came, and says nothing about it.
  if (x->on_spare)
    x->heard_before = on.connection->bytes_received();
  x->progress = progress::may_have_run;
  x->enter(phase::run, now());
  activity_.tell(pool_event_kind::command_started, *x, now());
  timers_.cancel({id, timer::open_channel});
  set_timer(timer::run, *x->command.timeout, id);
  send_early_input(on, id);
}

void command_runner::process_group_told(established& on, const ssh::event::tracked& e) {
  execution* const x = commands_.find(e.id);
  if (x == nullptr)
    return;
  x->process_group = e.process_group;
  // It was to be ended before it could be found.
  if (x->where() == stage::ending)
    hunt(on, e.id);
}

void command_runner::channel_refused(ssh::exec_id id) {
  if (commands_.find(id) == nullptr)
    return;
  timers_.cancel({id, timer::open_channel});
  leave_channel(id, stage::waiting);
}

void command_runner::refuse_channel(ssh::exec_id id, std::string reason) {
  if (commands_.find(id) != nullptr)
    refuse(id, command_setback(error_code::rejected, std::move(reason)));
}

void command_runner::exec_refused(established& on, ssh::exec_id id, std::string reason) {
  on.channels.leave(id, now());
  if (const auto victim = on.hunting.end(id))
    return hunt_ended(*victim, std::nullopt);
  execution* const x = commands_.find(id);
  if (x == nullptr)
    return;
  x->progress = progress::not_started;
  refuse(id, command_setback(error_code::rejected, std::move(reason)));
}

void command_runner::exec_ended(established& on, ssh::exec_id id, ssh::exec_outcome outcome) {
  on.channels.leave(id, now());
  if (const auto victim = on.hunting.end(id))
    return hunt_ended(*victim, ssh::parse_kill_report(outcome.stdout_data));
  execution* const x = commands_.find(id);
  if (x == nullptr)
    return;
  if (x->where() == stage::ending)
    return act_on_end(id, x->end->channel_ended(std::move(outcome)));
  if (!outcome.has_ended())
    return retry_or_fail(id,
                         {error_code::connection_error, connection_fault::dropped,
                          "the channel closed without an exit status"},
                         to_output(outcome));
  if (!x->command.output_to)
    return succeed(id, std::move(outcome));
  end_output(id, *x);
  // Whoever sees the result has seen all output. The run timeout bounds the wait.
  commands_.move(id, stage::delivering);
  x->outcome = std::move(outcome);
}

/// Gives the command's or the hunt's channel up and returns what it brought.
ssh::exec_outcome command_runner::abandon(established& on, ssh::exec_id id) {
  on.channels.leave(id, now());
  return on.ask().abandon(id);
}

void command_runner::leave_channel(ssh::exec_id id, stage next) {
  commands_.move(id, next);
  commands_.at(id).enter(phase::queue, now());
}

/// Its attempt failed, and another one follows.
void command_runner::end_attempt(ssh::exec_id id, const setback& reason, stage next) {
  execution& x = commands_.at(id);
  activity_.tell(pool_event_kind::command_retried, x, now(), reason.code, reason.text);
  cancel_timers(id);
  x.attempting = false;
  leave_channel(id, next);
}

void command_runner::retry_or_fail(ssh::exec_id id, const setback& reason, command_output output) {
  execution& x = commands_.at(id);
  const bool may_repeat
    = makes_attempts_ && !x.input_consumed
      && (x.command.retry == retry_policy::always || x.progress == progress::not_started);
  if (may_repeat && x.attempts < allowed_attempts(x)) {
    end_attempt(id, reason, stage::delayed);
    return set_timer(timer::retry, around_.retries->delay_after(x.counted_attempts()), id);
  }
  failure what = describe(x, reason);
  what.output = std::move(output);
  fail(id, reason.code, std::move(what));
}

std::uint32_t command_runner::allowed_attempts(const execution& x) const {
  return x.free_attempts + around_.retries->allowed_attempts(x.command.retry);
}

void command_runner::interrupt(established& on, const setback& reason, bool is_proven) {
  const auto opening = commands_.in(stage::opening);
  for (const ssh::exec_id id : opening) {
    timers_.cancel({id, timer::open_channel});
    if (!is_proven || commands_.at(id).forgive_attempt())
      leave_channel(id, stage::waiting);
    else
      retry_or_fail(id, reason, {});
  }
  const auto running = commands_.in(stage::running);
  for (const ssh::exec_id id : running)
    interrupt_running(on, id, reason);
  const auto ending = commands_.in(stage::ending);
  for (const ssh::exec_id id : ending)
    act_on_end(id, command_end::step::give_up);
}

void command_runner::interrupt_running(established& on, ssh::exec_id id, const setback& reason) {
  ssh::exec_outcome outcome = abandon(on, id);
  execution& x = commands_.at(id);
  if (met_a_dead_connection(on, x)) {
    x.free_attempts = 1;
    return end_attempt(id, reason, stage::waiting);
  }
  if (outcome.has_ended())
    x.progress = progress::finished;
  retry_or_fail(id, reason, to_output(outcome));
}

/// Whether it was given to a pooled connection that has not been heard of since.
bool command_runner::met_a_dead_connection(const established& on, const execution& x) const {
  return x.reused_connection && x.free_attempts == 0 && !x.input_consumed
         && x.command.retry == retry_policy::always && makes_attempts_
         && on.connection->bytes_received() == x.heard_before;
}

// -- input and output as they come ---------------------------------------------------------------

caf::result<void> command_runner::input(const caf::actor_addr& caller,
                                        const std::string& command_id, std::string& data,
                                        bool end) {
  for (const ssh::exec_id id : commands_.of_caller(caller, command_id)) {
    execution& x = commands_.at(id);
    if (!x.command.stdin_open || x.input_ended)
      continue;
    auto promise = around_.self->make_response_promise<void>();
    x.feeders.emplace_back(promise, *around_.target);
    x.input_ended = end;
    x.early_input += data;
    if (x.where() == stage::running)
      send_early_input(connection(), id);
    return promise;
  }
  return input_error(*around_.target, "no command takes this input");
}

void command_runner::send_early_input(established& on, ssh::exec_id id) {
  execution& x = commands_.at(id);
  if (x.early_input.empty() && !x.input_ended)
    return;
  on.ask().write(id, std::exchange(x.early_input, {}), x.input_ended);
  x.input_consumed = true;
}

void command_runner::input_wanted(ssh::exec_id id) {
  execution* const x = commands_.find(id);
  if (x == nullptr)
    return;
  for (reply<void>& feeder : std::exchange(x->feeders, {}))
    feeder.deliver();
}

/// Before the command itself is answered, for its caller may end with that.
void command_runner::dismiss_feeders(execution& x) const {
  for (reply<void>& feeder : std::exchange(x.feeders, {}))
    feeder.fail(input_error(*around_.target, "the command has ended"));
}

void command_runner::output(established& on, ssh::event::output& e) {
  execution* const x = commands_.find(e.id);
  if (x == nullptr || !x->command.output_to)
    return on.ask().grant(e.id, e.data.size());
  output_chunk chunk = make_chunk(*x, e.is_stderr);
  chunk.data = std::move(e.data);
  hand_on(e.id, *x, std::move(chunk));
}

output_chunk command_runner::make_chunk(const execution& x, bool is_stderr) const {
  output_chunk result;
  result.machine = *around_.asked;
  result.command_id = x.command.id;
  result.stream = is_stderr ? output_stream::stderr_stream : output_stream::stdout_stream;
  result.attempt = x.attempts;
  return result;
}

void command_runner::end_output(ssh::exec_id id, execution& x) {
  for (const bool is_stderr : {false, true}) {
    output_chunk mark = make_chunk(x, is_stderr);
    mark.end = true;
    hand_on(id, x, std::move(mark));
  }
}

void command_runner::hand_on(ssh::exec_id id, execution& x, output_chunk chunk) {
  ++x.unanswered_chunks;
  const std::uint64_t bytes = chunk.data.size();
  const auto answered = [this, id, bytes, number = around_.link->number()] {
    output_taken(id, bytes, number);
    around_.drive();
  };
  around_.self->request(x.command.output_to, caf::infinite, std::move(chunk))
    .then(answered, [this, answered, consumer = x.command.output_to.address()](const caf::error&) {
      consumer_ended(consumer);
      answered();
    });
}

void command_runner::output_taken(ssh::exec_id id, std::uint64_t bytes, std::uint64_t number) {
  if (number == around_.link->number())
    connection().ask().grant(id, bytes);
  execution* const x = commands_.find(id);
  if (x == nullptr)
    return;
  --x->unanswered_chunks;
  if (x->where() == stage::delivering && x->unanswered_chunks == 0)
    succeed(id, std::move(x->outcome));
}

void command_runner::output_overrun(ssh::exec_id id) {
  if (commands_.find(id) != nullptr)
    end_command(id, command_setback(error_code::overloaded,
                                    "its consumer left so much of its output that others could not "
                                    "be served beside it"));
}

// -- a command is ended --------------------------------------------------------------------------

void command_runner::time_is_up(ssh::exec_id id) {
  end_command(id, command_setback(error_code::command_timeout,
                                  "the command ran longer than "
                                    + to_text(*commands_.at(id).command.timeout)));
}

void command_runner::deadline_passed(ssh::exec_id id) {
  const execution& x = commands_.at(id);
  const char* phase_name = x.current_phase == phase::queue     ? "it waited"
                           : x.current_phase == phase::connect ? "the connection was made"
                                                               : "it ran";
  end_command(id, command_setback(error_code::command_timeout, "the command's deadline of "
                                                                 + to_text(*x.command.deadline)
                                                                 + " passed while " + phase_name));
}

void command_runner::cancel(const caf::actor_addr& caller, const std::string& command_id) {
  const setback reason = command_setback(error_code::cancelled, "the caller cancelled the command");
  for (const ssh::exec_id id : commands_.of_caller(caller, command_id))
    end_command(id, reason);
}

std::uint64_t command_runner::cancel(const cancel_order& order) {
  const setback reason = command_setback(error_code::cancelled, "it was cancelled by its id");
  std::uint64_t result = 0;
  for (const ssh::exec_id id : commands_.with_id(order.id)) {
    const execution& x = commands_.at(id);
    if (!may_end(order.by, x.caller))
      continue;
    if (x.where() != stage::ending && x.where() != stage::delivering)
      ++result;
    end_command(id, reason);
  }
  return result;
}

void command_runner::caller_ended(const caf::actor_addr& caller) {
  const setback reason = command_setback(error_code::cancelled, "the caller ended");
  for (const ssh::exec_id id : commands_.of_caller(caller)) {
    if (!commands_.at(id).command.outlives_caller)
      end_command(id, reason);
  }
}

void command_runner::stop_attempts(const setback& reason) {
  makes_attempts_ = false;
  for (const stage x : {stage::waiting, stage::delayed, stage::opening}) {
    const auto ids = commands_.in(x);
    for (const ssh::exec_id id : ids)
      end_command(id, reason);
  }
}

void command_runner::end_all(const setback& reason) {
  for (const ssh::exec_id id : commands_.all())
    end_command(id, reason);
}

void command_runner::end_command(ssh::exec_id id, const setback& reason) {
  execution& x = commands_.at(id);
  switch (x.where()) {
    case stage::opening:
      abandon(connection(), id);
      [[fallthrough]];
    case stage::waiting:
    case stage::delayed:
      return refuse(id, reason);
    case stage::running:
      return begin_end(connection(), id, reason);
    case stage::ending:
      return;
    case stage::delivering:
      return succeed(id, std::move(x.outcome));
  }
}

void command_runner::begin_end(established& on, ssh::exec_id id, const setback& reason) {
  commands_.move(id, stage::ending);
  execution& x = commands_.at(id);
  const settings& config = *around_.config;
  x.end.emplace(reason,
                command_end::rules{config.kill_grace, config.connect_timeout, x.command.tracked},
                now());
  timers_.cancel({id, timer::run});
  on.ask().signal(id, "TERM");
  if (x.process_group)
    hunt(on, id);
  act_on_end(id, command_end::step::wait);
}

void command_runner::act_on_end(ssh::exec_id id, command_end::step what) {
  command_end& end = *commands_.at(id).end;
  switch (what) {
    case command_end::step::kill:
      connection().ask().signal(id, "KILL");
      [[fallthrough]];
    case command_end::step::wait:
      return timers_.set({id, timer::end}, end.deadline());
    case command_end::step::give_up:
    case command_end::step::conclude:
      return conclude(id, end.outcome() ? std::move(*end.outcome()) : abandon(connection(), id));
  }
}

void command_runner::hunt(established& on, ssh::exec_id victim) {
  commands_.at(victim).end->hunt_begins();
  on.hunting.want(victim);
}

void command_runner::hunt_ended(ssh::exec_id victim, std::optional<ssh::kill_report> report) {
  act_on_end(victim, commands_.at(victim).end->hunt_ended(std::move(report)));
}

void command_runner::conclude(ssh::exec_id id, ssh::exec_outcome outcome) {
  execution& x = commands_.at(id);
  const command_end::conclusion known = x.end->conclude(outcome);
  if (known.had_exited)
    x.progress = progress::finished;
  failure what = describe(x, known.reason);
  what.termination = known.termination;
  what.output = to_output(outcome);
  fail(id, known.reason.code, std::move(what));
}

// -- time passes ---------------------------------------------------------------------------------

bool command_runner::look_at_deadlines() {
  bool opens_no_channel = false;
  while (const auto due = timers_.take_due(now())) {
    const auto [id, what] = *due;
    switch (what) {
      case timer::deadline:
        deadline_passed(id);
        break;
      case timer::open_channel:
        opens_no_channel = true;
        break;
      case timer::run:
        time_is_up(id);
        break;
      case timer::end:
        act_on_end(id, commands_.at(id).end->look(now()));
        break;
      case timer::retry:
        enqueue(id);
        break;
    }
  }
  return opens_no_channel;
}

void command_runner::set_timer(timer what, duration delay, ssh::exec_id id) {
  timers_.set({id, what}, now() + delay);
}

/// Those of an attempt.
void command_runner::cancel_timers(ssh::exec_id id) {
  for (const timer what : {timer::open_channel, timer::run, timer::end, timer::retry})
    timers_.cancel({id, what});
}

// -- a request is answered -----------------------------------------------------------------------

void command_runner::succeed(ssh::exec_id id, ssh::exec_outcome outcome) {
  execution& x = commands_.at(id);
  x.enter(phase::run, now());
  command_result result = to_result(x, std::move(outcome));
  execution_record record = to_record(x, *around_.target);
  record.exit_code = result.exit_code;
  record.exit_signal = result.exit_signal;
  // First the journal, so that its lines are in the order in which callers saw their answers.
  around_.self->send(*around_.journal, std::move(record));
  dismiss_feeders(x);
  activity_.finished(x, now(), result);
  x.answer.deliver(std::move(result));
  finish(id);
}

void command_runner::fail(ssh::exec_id id, error_code code, failure what) {
  execution& x = commands_.at(id);
  x.enter(x.current_phase, now());
  what.times = x.times;
  what.duration = x.elapsed();
  execution_record record = to_record(x, *around_.target);
  record.outcome = code;
  record.message = what.message;
  around_.self->send(*around_.journal, std::move(record));
  dismiss_feeders(x);
  activity_.finished(x, now(), code, what);
  x.answer.fail(make_failure(code, std::move(what)));
  finish(id);
}

void command_runner::refuse(ssh::exec_id id, const setback& reason) {
  fail(id, reason.code, describe(commands_.at(id), reason));
}

void command_runner::finish(ssh::exec_id id) {
  if (auto* const on = around_.link->get<established>()) {
    // Nobody waits for the report of a hunt that is still under way.
    if (const auto hunter = on->hunting.forget(id))
      abandon(*on, *hunter);
  }
  cancel_timers(id);
  timers_.cancel({id, timer::deadline});
  commands_.remove(id);
}

failure command_runner::describe(const execution& x, const setback& reason) const {
  machine named = *around_.target;
  if (!login_name.empty())
    named.username = login_name;
  return sshexec::describe(x, named, reason);
}

} // namespace sshexec
