#include "sshexec/actors/remote/link/caller_relay.hpp"

#include "sshexec/actors/remote/link/hub_error.hpp"
#include "sshexec/actors/runtime/request_id.hpp"
#include "sshexec/actors/runtime/stand_ins.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sshexec {

namespace {

/// For a hub's answer behind a command's deadline: it ends the command, within its `kill_grace`,
/// and sends what there is of the output.
constexpr auto answer_patience = std::chrono::seconds{10};

/// A hub refuses more, which might overflow a clock here.
constexpr caf::timespan longest_deadline = std::chrono::hours{24} * 365;

} // namespace

void caller_relay_state::reached(const executor_actor& hubs_executor) {
  executor = hubs_executor;
  self->monitor(executor);
  for (const auto& [id, x] : commands)
    send(id);
  send_tick();
}

void caller_relay_state::refuse(const caf::error& why) {
  answer_all(why);
  self->quit();
}

caf::typed_response_promise<command_result> caller_relay_state::execute(machine& target,
                                                                        command& what) {
  const std::uint64_t id = ++last_id;
  auto promise = self->make_response_promise<command_result>();
  open_command& x = commands[id];
  x.answer = reply<command_result>{promise, target};
  x.target = std::move(target);
  x.what = std::move(what);
  // By this alone a request is told from others of the same caller to the same machine.
  if (x.what.id.empty())
    x.what.id = make_request_id();
  if (x.what.output_to)
    x.output
      = self->spawn(output_stand_in, x.what.output_to, caf::actor_cast<executor_actor>(self));
  // One that makes no sense is for the hub to refuse.
  if (x.what.deadline && x.what.deadline->count() > 0 && *x.what.deadline <= longest_deadline) {
    x.deadline = self->clock().now() + *x.what.deadline;
    deadlines.set(id, *x.deadline);
  }
  if (executor)
    send(id);
  send_tick();
  return promise;
}

void caller_relay_state::send(std::uint64_t id) {
  open_command& x = commands.at(id);
  command what = std::move(x.what);
  // It is asked for again by this when it is cancelled.
  x.what.id = what.id;
  x.is_sent = true;
  what.output_to = x.output;
  if (x.deadline) {
    what.deadline = std::max<caf::timespan>(*x.deadline - self->clock().now(), caf::timespan{1});
    deadlines.set(id, *x.deadline + answer_patience);
  }
  self->request(executor, caf::infinite, execute_atom_v, x.target, std::move(what))
    .then([this, id](command_result& result) { answered(id, result); },
          [this, id](caf::error& reason) { failed(id, reason); });
}

void caller_relay_state::answered(std::uint64_t id, command_result& result) {
  if (auto x = take(id))
    x->answer.deliver(std::move(result));
}

void caller_relay_state::failed(std::uint64_t id, caf::error& reason) {
  if (auto x = take(id))
    x->answer.fail(about(x->target, as_own_error(hub, std::move(reason))));
}

std::optional<caller_relay_state::open_command> caller_relay_state::take(std::uint64_t id) {
  auto found = commands.extract(id);
  if (!found)
    return std::nullopt;
  deadlines.cancel(id);
  if (found.mapped().output)
    self->send_exit(found.mapped().output, caf::exit_reason::user_shutdown);
  return std::move(found.mapped());
}

void caller_relay_state::cancel(machine& target, std::string& command_id) {
  if (executor)
    return self->send(executor, cancel_atom_v, std::move(target), std::move(command_id));
  const meant_ids names{command_id};
  std::vector<std::uint64_t> meant;
  for (const auto& [id, x] : commands) {
    if (x.target == target && names.contains(x.what.id))
      meant.push_back(id);
  }
  for (const auto id : meant)
    forget(id);
}

std::uint64_t caller_relay_state::cancel_everywhere(const std::string& command_id) {
  std::vector<std::uint64_t> meant;
  for (const auto& [id, x] : commands) {
    if (x.what.id == command_id && !x.is_cancelled)
      meant.push_back(id);
  }
  for (const auto id : meant) {
    open_command& x = commands.at(id);
    if (!x.is_sent) {
      forget(id);
      continue;
    }
    x.is_cancelled = true;
    self->send(executor, cancel_atom_v, x.target, command_id);
  }
  return meant.size();
}

void caller_relay_state::forget(std::uint64_t id) {
  auto x = take(id);
  failure what = about(x->target, "the caller cancelled the command");
  what.request_id = x->what.id;
  x->answer.fail(make_failure(error_code::cancelled, std::move(what)));
}

void caller_relay_state::tick() {
  const auto now = self->clock().now();
  deadlines.tick_arrived(now);
  while (const auto id = deadlines.take_due(now))
    give_up(*id);
  send_tick();
}

void caller_relay_state::give_up(std::uint64_t id) {
  auto x = take(id);
  if (!x)
    return;
  failure what = about(
    x->target, hub_failure(hub, connection_fault::none,
                           x->is_sent ? "it has not answered behind the command's deadline"
                                      : "there was no connection within the command's deadline"));
  what.request_id = x->what.id;
  if (x->is_sent) {
    self->send(executor, cancel_atom_v, x->target, x->what.id);
    what.progress = progress::may_have_run;
    what.termination = termination::unknown;
  }
  x->answer.fail(make_failure(error_code::command_timeout, std::move(what)));
}

void caller_relay_state::send_tick() {
  if (const auto when = deadlines.tick_to_send())
    self->delayed_send(self, std::max(*when - self->clock().now(), time_point::duration{0}),
                       tick_atom::value);
}

caf::typed_response_promise<void>
caller_relay_state::input(machine& target, std::string& command_id, std::string& data, bool end) {
  const std::uint64_t id = ++last_id;
  auto promise = self->make_response_promise<void>();
  inputs.emplace(id, open_input{{promise, target}, target});
  if (!executor)
    return promise;
  self
    ->request(executor, caf::infinite, input_atom_v, target, std::move(command_id), std::move(data),
              end)
    .then(
      [this, id] {
        if (auto found = inputs.extract(id))
          found.mapped().answer.deliver();
      },
      [this, id](caf::error& reason) {
        if (auto found = inputs.extract(id))
          found.mapped().answer.fail(
            about(found.mapped().target, as_own_error(hub, std::move(reason))));
      });
  return promise;
}

caf::typed_response_promise<executor_status> caller_relay_state::status() {
  const std::uint64_t id = ++last_id;
  auto promise = self->make_response_promise<executor_status>();
  statuses.emplace(id, reply<executor_status>{promise});
  if (!executor)
    return promise;
  self->request(executor, caf::infinite, status_atom_v)
    .then(
      [this, id](executor_status& status) {
        if (auto found = statuses.extract(id))
          found.mapped().deliver(std::move(status));
      },
      [this, id](caf::error& reason) {
        if (auto found = statuses.extract(id))
          found.mapped().fail(as_own_error(hub, std::move(reason)));
      });
  return promise;
}

void caller_relay_state::lost() {
  executor = nullptr;
  answer_all(make_failure(error_code::connection_error,
                          hub_failure(hub, connection_fault::dropped, "the connection was lost")));
}

void caller_relay_state::answer_all(const caf::error& why) {
  for (auto& [id, x] : std::exchange(commands, {})) {
    failure what = about(x.target, to_failure(why));
    what.request_id = x.what.id;
    what.progress = x.is_sent ? progress::may_have_run : progress::not_started;
    x.answer.fail(make_failure(code_of(why), std::move(what)));
    if (x.output)
      self->send_exit(x.output, caf::exit_reason::user_shutdown);
  }
  for (auto& [id, x] : std::exchange(inputs, {}))
    x.answer.fail(about(x.target, why));
  for (auto& [id, answer] : std::exchange(statuses, {}))
    answer.fail(why);
}

relay_actor::behavior_type caller_relay(relay_actor::stateful_pointer<caller_relay_state> self,
                                        const executor_actor& executor, std::string hub) {
  self->set_down_handler([self](const caf::down_msg&) { self->state.lost(); });
  self->state.hub = std::move(hub);
  if (executor)
    self->state.reached(executor);
  return {
    [self](execute_atom, machine& target, command& what) {
      return self->state.execute(target, what);
    },
    [self](cancel_atom, machine& target, std::string& command_id) {
      self->state.cancel(target, command_id);
    },
    [self](cancel_atom, const std::string& command_id) {
      return self->state.cancel_everywhere(command_id);
    },
    [self](input_atom, machine& target, std::string& command_id, std::string& data, bool end) {
      return self->state.input(target, command_id, data, end);
    },
    [self](subscribe_atom, const observer_actor& who) {
      self->send(self->state.executor, subscribe_atom_v, who);
    },
    [self](unsubscribe_atom, const observer_actor& who) {
      self->send(self->state.executor, unsubscribe_atom_v, who);
    },
    [self](status_atom) { return self->state.status(); },
    [self](changed_atom, const machine& target) {
      self->send(self->state.executor, changed_atom_v, target);
    },
    [self](changed_atom) { self->send(self->state.executor, changed_atom_v); },
    [self](reached_atom, const executor_actor& executor) { self->state.reached(executor); },
    [self](refuse_atom, const caf::error& why) { self->state.refuse(why); },
    [self](tick_atom) { self->state.tick(); },
  };
}

} // namespace sshexec
