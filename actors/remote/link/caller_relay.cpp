#include "sshexec/actors/remote/link/caller_relay.hpp"

#include "sshexec/actors/remote/link/hub_error.hpp"
#include "sshexec/actors/remote/link/stand_ins.hpp"

#include <utility>

namespace sshexec {

caf::typed_response_promise<command_result> caller_relay_state::execute(machine& target,
                                                                        command& what) {
  const std::uint64_t id = ++last_id;
  auto promise = self->make_response_promise<command_result>();
  if (what.output_to)
    what.output_to = self->spawn(output_stand_in, what.output_to, executor_actor{self});
  commands.emplace(
    id, open_command{reply<command_result>{promise}, to_address(target), what.output_to});
  const auto answer = [this, id](auto outcome, auto deliver) {
    const auto found = commands.find(id);
    if (found == commands.end())
      return;
    deliver(found->second.answer, std::move(outcome));
    if (found->second.output)
      self->send_exit(found->second.output, caf::exit_reason::user_shutdown);
    commands.erase(found);
  };
  self->request(executor, caf::infinite, execute_atom_v, std::move(target), std::move(what))
    .then(
      [answer](command_result& x) {
        answer(std::move(x), [](auto& to, command_result y) { to.deliver(std::move(y)); });
      },
      [answer](caf::error& x) {
        answer(std::move(x), [](auto& to, caf::error y) { to.fail(std::move(y)); });
      });
  return promise;
}

caf::typed_response_promise<void>
caller_relay_state::input(machine& target, std::string& command_id, std::string& data, bool end) {
  const std::uint64_t id = ++last_id;
  auto promise = self->make_response_promise<void>();
  inputs.emplace(id, reply<void>{promise});
  self
    ->request(executor, caf::infinite, input_atom_v, std::move(target), std::move(command_id),
              std::move(data), end)
    .then(
      [this, id] {
        if (auto found = inputs.extract(id))
          found.mapped().deliver();
      },
      [this, id](caf::error& reason) {
        if (auto found = inputs.extract(id))
          found.mapped().fail(std::move(reason));
      });
  return promise;
}

caf::typed_response_promise<executor_status> caller_relay_state::status() {
  const std::uint64_t id = ++last_id;
  auto promise = self->make_response_promise<executor_status>();
  statuses.emplace(id, reply<executor_status>{promise});
  self->request(executor, caf::infinite, status_atom_v)
    .then(
      [this, id](executor_status& status) {
        if (auto found = statuses.extract(id))
          found.mapped().deliver(std::move(status));
      },
      [this, id](caf::error& reason) {
        if (auto found = statuses.extract(id))
          found.mapped().fail(std::move(reason));
      });
  return promise;
}

void caller_relay_state::lost() {
  const failure reason = hub_failure(hub, connection_fault::dropped, "the connection was lost");
  for (auto& [id, each] : commands) {
    failure what = reason;
    what.machine = each.machine;
    what.progress = progress::may_have_run;
    each.answer.fail(make_failure(error_code::connection_error, std::move(what)));
  }
  for (auto& [id, answer] : inputs)
    answer.fail(make_failure(error_code::connection_error, reason));
  for (auto& [id, answer] : statuses)
    answer.fail(make_failure(error_code::connection_error, reason));
  commands.clear();
  inputs.clear();
  statuses.clear();
  self->quit();
}

executor_actor::behavior_type
caller_relay(executor_actor::stateful_pointer<caller_relay_state> self, executor_actor executor,
             std::string hub) {
  self->monitor(executor);
  self->set_down_handler([self](const caf::down_msg&) { self->state.lost(); });
  self->state.executor = std::move(executor);
  self->state.hub = std::move(hub);
  return {
    [self](execute_atom, machine& target, command& what) {
      return self->state.execute(target, what);
    },
    [self](cancel_atom, const machine& target, const std::string& command_id) {
      self->send(self->state.executor, cancel_atom_v, target, command_id);
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
  };
}

} // namespace sshexec
