#include "sshexec/actors/fleet/rollout.hpp"

#include "sshexec/actors/fleet/expand_line.hpp"
#include "sshexec/actors/fleet/rollout_state.hpp"
#include "sshexec/actors/fleet/start_order.hpp"
#include "sshexec/actors/runtime/request_id.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sshexec {

namespace {

/// Answers of a router that ended may arrive a moment after the news of its end.
constexpr auto time_for_last_answers = std::chrono::seconds{1};

/// Observers are told so often, which is enough for people.
constexpr auto time_between_views = std::chrono::milliseconds{100};

caf::error refusal(std::string message) {
  failure reason;
  reason.message = std::move(message);
  return make_failure(error_code::invalid_argument, std::move(reason));
}

/// What makes no sense, in words for people.
std::optional<std::string> complaint_about(const rollout& x) {
  if (x.machines.empty())
    return "A rollout needs machines";
  if (x.command.line.empty())
    return "A rollout needs a command";
  if (x.command.stdin_open)
    return "The commands of a rollout get all of their input at once";
  if (x.at_once == 0)
    return "A rollout needs room for one machine at least";
  if (std::any_of(x.steps.begin(), x.steps.end(), [](const portion& y) { return y.amount == 0; }))
    return "A step of a rollout has one machine at least";
  if (x.pause < caf::timespan{0} || (x.deadline && *x.deadline < caf::timespan{0}))
    return "The pause and the deadline of a rollout cannot be negative";
  return x.expand ? complaint_about_tokens(x.command.line) : std::nullopt;
}

/// Whether the executor goes down and sent the request back untouched.
bool is_closing(const caf::error& reason) {
  return is(reason, error_code::shutting_down)
         && to_failure(reason).progress == progress::not_started;
}

/// The executor gave no answer of its own.
void lose(machine_outcome& outcome, const std::string& why, duration since_start) {
  failure& what = outcome.what;
  what = about(outcome.machine, why);
  what.code = outcome.code = error_code::connection_error;
  what.fault = connection_fault::dropped;
  what.progress = progress::may_have_run;
  what.termination = termination::unknown;
  what.attempts = 1;
  what.times.queue = what.duration = since_start;
}

/// The executor knows that the command was cancelled, but not that nobody had asked for it.
void explain(machine_outcome& outcome, skip_reason why) {
  failure& what = outcome.what;
  if (why == skip_reason::deadline) {
    what.code = outcome.code = error_code::command_timeout;
    what.message = to_address(outcome.machine) + ": ended at the deadline of the rollout";
  } else if (why == skip_reason::too_many_failures) {
    what.message = to_address(outcome.machine) + ": ended because too many machines had failed";
  }
}

} // namespace

void rollout_state::set_up(executor_actor over, rollout wanted, outcome_consumer outcomes_to) {
  executor = std::move(over);
  consumer = std::move(outcomes_to);
  what = std::move(wanted);
  command_name = what.command.id.empty() ? make_request_id() : what.command.id;
  order = start_order(what.machines, what.shuffle_seed);
  plan.emplace(what, order.size());
  tally.emplace(order.size());
}

// -- what others say -----------------------------------------------------------------------------

caf::result<rollout_summary> rollout_state::start() {
  if (where != stage::prepared)
    return refusal("A rollout is started once");
  where = stage::rolling;
  begun_at = now();
  // Before the promise, which takes the sender along.
  if (const auto& sender = self->current_sender()) {
    caller = caf::actor_cast<caf::actor_addr>(sender);
    self->monitor(caller);
  }
  auto promise = self->make_response_promise<rollout_summary>();
  answer = reply<rollout_summary>{promise};
  self->monitor(executor);
  if (consumer)
    self->monitor(consumer);
  plan->begin(begun_at);
  show_soon();
  pursue();
  return promise;
}

void rollout_state::cancel(excess_rule under_way) {
  plan->stop(skip_reason::cancelled, under_way);
  pursue();
}

void rollout_state::exit(const caf::error& reason) {
  if (where == stage::rolling) {
    where = stage::exiting;
    return cancel(excess_rule::cancel);
  }
  if (answer.pending()) {
    failure why;
    why.message = "The rollout was ended before each of its machines had its outcome";
    why.progress = progress::may_have_run;
    answer.fail(make_failure(error_code::shutting_down, std::move(why)));
  }
  where = stage::ended;
  self->quit(reason);
}

void rollout_state::actor_ended(const caf::actor_addr& source) {
  if (source == caller)
    cancel(excess_rule::cancel);
  if (consumer && source == consumer.address())
    consumer_ended();
  if (executor && source == executor.address())
    executor_ended();
  std::erase_if(observers, [&source](const auto& x) { return x.address() == source; });
}

rollout_progress rollout_state::progress() const {
  rollout_progress result = tally->progress();
  for (const auto& [place, since] : running)
    result.running.push_back(place);
  std::sort(result.running.begin(), result.running.end());
  result.step = plan->step();
  result.paused = plan->paused();
  return result;
}

void rollout_state::observe(progress_observer observer) {
  self->monitor(observer);
  observers.push_back(std::move(observer));
  show_soon();
}

// -- observers -----------------------------------------------------------------------------------

void rollout_state::show_soon() {
  const bool runs = where == stage::rolling || where == stage::exiting;
  if (runs && !observers.empty() && !std::exchange(is_shown, true))
    self->send(self, show_atom::value);
}

void rollout_state::show() {
  is_shown = !observers.empty();
  if (!is_shown)
    return;
  tell_observers();
  self->delayed_send(self, time_between_views, show_atom::value);
}

void rollout_state::tell_observers() {
  for (const auto& observer : observers)
    self->send(observer, progress());
}

// -- one machine, from its start to its consumer's answer ----------------------------------------

void rollout_state::start_machine(std::size_t place) {
  const machine& target = what.machines.at(place);
  command own = what.command;
  own.id = command_id(place);
  if (what.expand)
    own.line = expand_line(own.line, target, place + 1);
  running.emplace(place, now());
  self->request(executor, caf::infinite, execute_atom_v, target, std::move(own))
    .then([this, place](command_result& result) { succeeded(place, result); },
          [this, place](const caf::error& reason) { failed(place, reason); });
}

void rollout_state::succeeded(std::size_t place, command_result& result) {
  if (!running.contains(place))
    return;
  machine_outcome outcome = outcome_of(place);
  outcome.kind = outcome_kind::ended;
  outcome.result = std::move(result);
  tell(std::move(outcome));
  pursue();
}

void rollout_state::failed(std::size_t place, const caf::error& reason) {
  const auto i = running.find(place);
  if (i == running.end())
    return;
  const duration since_start = now() - i->second;
  machine_outcome outcome = outcome_of(place);
  outcome.kind = outcome_kind::failed;
  outcome.code = code_of(reason);
  if (outcome.code != error_code::none)
    outcome.what = about(outcome.machine, to_failure(reason));
  else
    lose(outcome, caf::to_string(reason), since_start);
  if (outcome.code == error_code::cancelled)
    explain(outcome, plan->cancels_running());
  if (is_closing(reason))
    plan->stop(skip_reason::executor_gone, excess_rule::let_finish);
  tell(std::move(outcome));
  pursue();
}

void rollout_state::skip_machine(std::size_t place) {
  machine_outcome outcome = outcome_of(place);
  outcome.kind = outcome_kind::never_started;
  outcome.reason = plan->stopped();
  tell(std::move(outcome));
}

void rollout_state::tell(machine_outcome outcome) {
  tally->add(outcome);
  if (counts_as_failure(outcome, what.counts_as_failure))
    plan->failed();
  if (!consumer)
    return plan->release(now());
  ++untold;
  self->request(consumer, caf::infinite, std::move(outcome))
    .then([this] { told(); },
          [this](const caf::error&) {
            plan->stop(skip_reason::cancelled, excess_rule::cancel);
            told();
          });
}

void rollout_state::told() {
  if (!consumer)
    return;
  --untold;
  plan->release(now());
  pursue();
}

// -- ends ----------------------------------------------------------------------------------------

void rollout_state::consumer_ended() {
  consumer = nullptr;
  for (; untold > 0; --untold)
    plan->release(now());
  cancel(excess_rule::cancel);
}

void rollout_state::executor_ended() {
  plan->stop(skip_reason::executor_gone, excess_rule::let_finish);
  if (!running.empty())
    self->delayed_send(self, time_for_last_answers, gone_atom::value);
  pursue();
}

void rollout_state::executor_gone() {
  executor = nullptr;
  while (!running.empty()) {
    const auto [place, since] = *running.begin();
    machine_outcome outcome = outcome_of(place);
    outcome.kind = outcome_kind::failed;
    lose(outcome, "the executor ended before it answered", now() - since);
    tell(std::move(outcome));
  }
  pursue();
}

void rollout_state::cancel_running() {
  cancelled_running = true;
  for (const auto& [place, since] : running)
    self->send(executor, cancel_atom_v, what.machines.at(place), command_id(place));
}

// -- plumbing ------------------------------------------------------------------------------------

void rollout_state::pursue() {
  using verdict = rollout_plan::verdict;
  while (where != stage::ended) {
    const verdict next = plan->next(now());
    if (plan->cancels_running() != skip_reason::none && !cancelled_running)
      cancel_running();
    switch (next) {
      case verdict::start:
        start_machine(order.at(plan->take()));
        break;
      case verdict::skip:
        skip_machine(order.at(plan->take()));
        break;
      case verdict::wait:
        return wake_up_in_time();
      case verdict::done:
        return finish();
    }
  }
}

void rollout_state::finish() {
  where = stage::ended;
  tell_observers();
  answer.deliver(tally->take_summary(now() - begun_at));
  self->quit();
}

void rollout_state::wake_up_in_time() {
  const auto when = plan->deadline();
  if (!when || (tick_at && *tick_at <= *when))
    return;
  tick_at = when;
  self->delayed_send(self, *when - now(), tick_atom::value);
}

machine_outcome rollout_state::outcome_of(std::size_t place) {
  running.erase(place);
  machine_outcome result;
  result.index = place;
  result.machine = std::move(what.machines.at(place));
  return result;
}

std::string rollout_state::command_id(std::size_t place) const {
  return command_name + '/' + std::to_string(place);
}

time_point rollout_state::now() const {
  return self->clock().now();
}

// -- the actor -----------------------------------------------------------------------------------

namespace {

rolling_actor::behavior_type rolling(rolling_actor::stateful_pointer<rollout_state> self,
                                     executor_actor executor, rollout what,
                                     outcome_consumer outcomes_to) {
  rollout_state& state = self->state;
  state.set_up(std::move(executor), std::move(what), std::move(outcomes_to));
  self->set_exit_handler([&state](const caf::exit_msg& message) { state.exit(message.reason); });
  self->set_down_handler(
    [&state](const caf::down_msg& message) { state.actor_ended(message.source); });
  return {
    [&state](start_atom) { return state.start(); },
    [&state](pause_atom) { state.plan->pause(); },
    [&state](resume_atom) {
      state.plan->resume();
      state.pursue();
    },
    [&state](cancel_atom, bool under_way) {
      state.cancel(under_way ? excess_rule::cancel : excess_rule::let_finish);
    },
    [&state](status_atom) { return state.progress(); },
    [&state](subscribe_atom, progress_observer& observer) { state.observe(std::move(observer)); },
    [&state](tick_atom) {
      state.tick_at.reset();
      state.pursue();
    },
    [&state](show_atom) { state.show(); },
    [&state](gone_atom) { state.executor_gone(); },
  };
}

} // namespace

caf::expected<rollout_actor> spawn_rollout(caf::actor_system& system, executor_actor executor,
                                           rollout what, outcome_consumer outcomes_to) {
  if (!executor)
    return refusal("A rollout needs an executor");
  if (const auto complaint = complaint_about(what))
    return refusal(*complaint);
  return rollout_actor{
    system.spawn(rolling, std::move(executor), std::move(what), std::move(outcomes_to))};
}

} // namespace sshexec
