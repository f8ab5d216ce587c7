#include "sshexec/actors/cluster/errand.hpp"

#include "sshexec/actors/runtime/duration_text.hpp"

#include <algorithm>
#include <utility>

namespace sshexec {

namespace {

/// A command that is there whenever its node dies may be the reason.
constexpr std::uint32_t max_lost_runs = 3;

/// Whether a node that goes down sent the request back untouched.
bool is_refusal(const caf::error& reason) {
  return is(reason, error_code::shutting_down)
         && to_failure(reason).progress == progress::not_started;
}

caf::error refusal_of_input(const machine& target, const char* why) {
  return make_failure(error_code::invalid_argument, about(target, why));
}

} // namespace

// -- on the way to a node ------------------------------------------------------------------------

caf::typed_response_promise<command_result> errand_state::execute(machine& to,
                                                                  sshexec::command& what) {
  target = std::move(to);
  command = std::move(what);
  received_at = self->clock().now();
  received_time = caf::make_timestamp();
  auto promise = self->make_response_promise<command_result>();
  answer = reply<command_result>{promise, target};
  return promise;
}

void errand_state::go(errand_node& next) {
  if (where != stage::placing)
    return;
  // It would be too large for a message to a node in another process.
  if (command.stdin_data.size() > largest_data)
    return fail(error_code::invalid_argument, too_much_input);
  node = std::move(next);
  where = stage::placed;
  sshexec::command copy = command;
  if (command.deadline)
    copy.deadline = std::max(remaining(), caf::timespan{1});
  if (command.output_to)
    copy.output_to = caf::actor_cast<output_consumer>(self);
  const auto run = ++runs;
  self->request(node.executor, caf::infinite, execute_atom_v, target, std::move(copy))
    .then(
      [this, run](command_result& result) {
        if (is_current(run))
          succeeded(result);
      },
      [this, run](caf::error& reason) {
        if (is_current(run))
          failed(reason);
      });
  forward_input();
}

void errand_state::hold() {
  if (where == stage::placing && command.deadline)
    self->delayed_send(self, std::max(remaining(), caf::timespan{0}), deadline_atom::value);
}

void errand_state::check_deadline() {
  if (where == stage::placing && remaining() <= caf::timespan{0})
    fail(error_code::command_timeout,
         "the deadline of " + to_text(*command.deadline)
           + " passed while another node finished the machine's earlier commands");
}

void errand_state::nowhere() {
  if (where != stage::placing)
    return;
  if (lost_runs > 0)
    fail(error_code::connection_error, "node " + last_lost + " was lost, and there is no other");
  else if (refusal)
    fail(std::move(refusal));
  else
    fail(error_code::connection_error, "there is no node");
}

// -- the command's end ---------------------------------------------------------------------------

void errand_state::succeeded(command_result& result) {
  leave();
  result.attempts += earlier_attempts;
  answer.deliver(std::move(result));
}

void errand_state::failed(caf::error& reason) {
  if (reason == caf::sec::request_receiver_down)
    return untaken();
  if (is_refusal(reason) && may_run_again()) {
    refusal = std::move(reason);
    where = stage::placing;
    return self->send(router, refused_atom::value, id, node.id);
  }
  leave();
  if (lost_runs > 0 && reason.category() == caf::atom("sshexec")) {
    failure what = to_failure(reason);
    what.attempts += earlier_attempts;
    if (what.progress == progress::not_started)
      what.progress = progress::may_have_run;
    reason = make_failure(code_of(reason), std::move(what));
  }
  answer.fail(std::move(reason));
}

void errand_state::untaken() {
  where = stage::placing;
  if (cancelled)
    return fail(error_code::cancelled, "the caller cancelled the command");
  const std::string what = "node " + node.name + " ended before it took the command";
  if (!may_run_again())
    return fail(error_code::shutting_down, what);
  refusal = make_failure(error_code::shutting_down, about(target, what));
  // A node that goes on has lost the actor that it gave the command to, and will make another one.
  if (std::exchange(untaken_by, node.id) == node.id)
    self->send(router, refused_atom::value, id, node.id);
  else
    self->send(router, place_atom::value, id);
}

void errand_state::lost(node_id at) {
  if (where != stage::placed || at != node.id)
    return;
  // In case that it lives on: another executor may have taken the node's name.
  self->send(node.executor, cancel_atom_v, target, command.id);
  ++lost_runs;
  last_lost = node.name;
  earlier_attempts = std::max(earlier_attempts + 1, last_attempt);
  where = stage::placing;
  if (cancelled)
    return fail(error_code::cancelled,
                "the caller cancelled the command, and node " + node.name + " was lost");
  if (command.retry != retry_policy::always || !may_run_again() || lost_runs == max_lost_runs)
    return fail(error_code::connection_error, "node " + node.name + " was lost");
  self->send(router, place_atom::value, id);
}

// -- the caller speaks ---------------------------------------------------------------------------

void errand_state::cancel() {
  cancelled = true;
  if (where == stage::placed)
    self->send(node.executor, cancel_atom_v, target, command.id);
  else if (where == stage::placing)
    fail(error_code::cancelled, "the caller cancelled the command");
}

void errand_state::orphaned() {
  // It stays until the command has ended: the machine must not go to another node before.
  if (!command.outlives_caller)
    cancel();
}

void errand_state::shut_down() {
  if (where != stage::ended)
    fail(error_code::shutting_down, "the router is shutting down");
}

caf::typed_response_promise<void> errand_state::input(std::string& data, bool is_end) {
  auto promise = self->make_response_promise<void>();
  if (data.size() > largest_data) {
    promise.deliver(refusal_of_input(target, too_much_input));
    return promise;
  }
  held_inputs.push_back({std::move(data), is_end, reply<void>{promise, target}});
  if (where == stage::placed)
    forward_input();
  return promise;
}

void errand_state::forward_input() {
  for (held_input& held : std::exchange(held_inputs, {})) {
    const auto number = ++last_input;
    sent_inputs.emplace(number, std::move(held.answer));
    self
      ->request(node.executor, caf::infinite, input_atom_v, target, command.id,
                std::move(held.data), held.is_end)
      .then(
        [this, number] {
          if (auto sent = sent_inputs.extract(number))
            sent.mapped().deliver();
        },
        [this, number](caf::error& reason) {
          if (auto sent = sent_inputs.extract(number))
            sent.mapped().fail(about(target, std::move(reason)));
        });
  }
}

caf::result<void> errand_state::output(output_chunk& chunk) {
  chunk.attempt += earlier_attempts;
  last_attempt = std::max(last_attempt, chunk.attempt);
  return self->delegate(command.output_to, std::move(chunk));
}

// -- plumbing ------------------------------------------------------------------------------------

caf::timespan errand_state::remaining() const {
  return *command.deadline - (self->clock().now() - received_at);
}

bool errand_state::may_run_again() const {
  // What a lost run has read is gone.
  return !cancelled && last_input == 0;
}

void errand_state::fail(error_code code, const std::string& message) {
  failure what = about(target, message);
  what.request_id = command.id;
  what.attempts = earlier_attempts;
  if (code == error_code::connection_error)
    what.fault = lost_runs > 0 ? connection_fault::dropped : connection_fault::unreachable;
  if (lost_runs > 0 || where == stage::placed) {
    what.progress = progress::may_have_run;
    what.termination = termination::unknown;
  }
  what.times.queue = what.duration = self->clock().now() - received_at;
  fail(make_failure(code, std::move(what)));
}

void errand_state::fail(caf::error reason) {
  const failure what = to_failure(reason);
  if (journal) {
    execution_record record;
    record.time = received_time;
    record.machine = target;
    record.request_id = command.id;
    record.command_line = command.line;
    record.outcome = static_cast<error_code>(reason.code());
    record.message = what.message;
    record.duration = what.duration;
    record.attempts = what.attempts;
    self->send(journal, std::move(record));
  }
  leave();
  answer.fail(std::move(reason));
}

void errand_state::leave() {
  where = stage::ended;
  // Before the answer, so that nothing that its caller does then meets this errand.
  self->send(router, ended_atom::value, id);
  const auto has_ended = refusal_of_input(target, "the command has ended");
  for (auto& [number, sent] : sent_inputs)
    sent.fail(has_ended);
  for (held_input& held : held_inputs)
    held.answer.fail(has_ended);
  self->quit();
}

errand_actor::behavior_type errand(errand_actor::stateful_pointer<errand_state> self, errand_id id,
                                   dispatcher_actor router, journal_actor journal) {
  errand_state& state = self->state;
  state.id = id;
  state.router = std::move(router);
  state.journal = std::move(journal);
  return {
    [&state](execute_atom, machine& target, command& what) { return state.execute(target, what); },
    [&state](go_atom, errand_node& next) { state.go(next); },
    [&state](hold_atom) { state.hold(); },
    [&state](nowhere_atom) { state.nowhere(); },
    [&state](lost_atom, node_id at) { state.lost(at); },
    [&state](cancel_atom) { state.cancel(); },
    [&state](shutdown_atom) { state.shut_down(); },
    [&state](orphaned_atom) { state.orphaned(); },
    [&state](deadline_atom) { state.check_deadline(); },
    [&state](input_atom, std::string& data, bool is_end) { return state.input(data, is_end); },
    [&state](output_chunk& chunk) { return state.output(chunk); },
  };
}

} // namespace sshexec
