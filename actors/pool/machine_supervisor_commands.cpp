#include "sshexec/actors/pool/machine_supervisor.hpp"

#include <caf/deep_to_string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <random>
#include <utility>

namespace sshexec {

namespace {

/// A server may count a channel for a moment after its end, so one that refuses a channel while
/// none is open is asked again after this pause, but not for ever.
constexpr auto refusal_pause = std::chrono::milliseconds{100};
constexpr int max_lone_refusals = 4;

/// What became of the processes of a command that was ended.
termination termination_of(const execution& x, const ssh::exec_outcome& outcome) {
  if (x.report)
    return x.report->survivors.empty() ? termination::killed : termination::survivors;
  return x.channel_ended && outcome.has_ended() ? termination::killed : termination::unknown;
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

failure with_output(failure what, command_output output) {
  what.output = std::move(output);
  return what;
}

} // namespace

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
  x.on_spare = start_on_channel(id, x.request());
  set_timer(timer::open_channel, config.connect_timeout, id);
}

bool machine_supervisor_state::start_on_channel(ssh::exec_id id, ssh::exec_request request) {
  // What is sent on the spare channel may have run even if the connection turns out dead, so it is
  // for connections that were heard of lately.
  const bool takes_spare = has_spare && (silent_checks == 0 || slots.free() == 0);
  request.takes_spare = takes_spare;
  if (takes_spare) {
    has_spare = false;
    spare_is_due = true;
  } else {
    slots.take();
  }
  connection->start(id, std::move(request));
  must_drive = true;
  return takes_spare;
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
  // That the spare channel is open was asked before the command came, and says nothing about it.
  if (x.on_spare)
    x.heard_before = connection->bytes_received();
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
  const bool is_lone = slots.refused();
  if (is_lone && ++lone_refusals == max_lone_refusals)
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
  if (is_lone)
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
  } else if (outcome.has_ended() && x.unanswered_chunks > 0) {
    // Whoever sees the result has seen all output. The run timeout bounds the wait.
    x.where = stage::delivering;
    x.outcome = std::move(outcome);
  } else if (outcome.has_ended()) {
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

void machine_supervisor_state::leave_channel(ssh::exec_id id) {
  execution& x = executions.at(id);
  x.where = stage::waiting;
  x.enter(phase::queue, now());
  tracked.erase(id);
}

void machine_supervisor_state::wait_again(ssh::exec_id id) {
  leave_channel(id);
  waiting.insert(id);
}

void machine_supervisor_state::end_attempt(ssh::exec_id id, const setback& reason) {
  execution& x = executions.at(id);
  notify(pool_event_kind::command_retried, x, reason.code, reason.text);
  cancel_timers(id);
  x.attempting = false;
  leave_channel(id);
}

void machine_supervisor_state::retry_or_fail(ssh::exec_id id, const setback& reason,
                                             command_output output) {
  execution& x = executions.at(id);
  const bool may_repeat
    = life != life_stage::closing && !x.input_consumed
      && (x.command.retry == retry_policy::always || x.progress == progress::not_started);
  if (!may_repeat || x.attempts >= allowed_attempts(x))
    return fail(id, reason.code, with_output(describe(x, reason), std::move(output)));
  end_attempt(id, reason);
  set_timer(timer::retry, delay_after(x.attempts - x.free_attempts), id);
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
  end_command(
    id, {error_code::command_timeout, connection_fault::none,
         "the command ran longer than " + caf::deep_to_string(*executions.at(id).command.timeout)});
}

void machine_supervisor_state::deadline_passed(ssh::exec_id id) {
  const execution& x = executions.at(id);
  const char* phase_name = x.current_phase == phase::queue     ? "it waited"
                           : x.current_phase == phase::connect ? "the connection was made"
                                                               : "it ran";
  end_command(id, {error_code::command_timeout, connection_fault::none,
                   "the command's deadline of " + caf::deep_to_string(*x.command.deadline)
                     + " passed while " + phase_name});
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

void machine_supervisor_state::end_commands(const setback& reason,
                                            const std::function<bool(const execution&)>& is_meant) {
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
  } else if (outcome.has_ended()) {
    x.progress = progress::finished;
    reason.text += "; it had exited, but its output had not ended";
  } else {
    reason.text += "; whether the remote process ended is unknown";
  }
  failure what = describe(x, reason);
  what.termination = how;
  fail(id, reason.code, with_output(std::move(what), to_output(outcome)));
}

} // namespace sshexec
