#include "sshexec/actors/pool/connect_gate.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <utility>

namespace sshexec {

caf::result<void> connect_gate_state::admit(std::string& key) {
  const auto sender = self->current_sender();
  if (!sender)
    return make_service_error(error_code::invalid_argument,
                              "Nobody is admitted who could not give the place back");
  const auto who = caf::actor_cast<caf::actor_addr>(sender);
  leave(who);
  self->monitor(caf::actor_cast<caf::actor>(sender));
  auto promise = self->make_response_promise<void>();
  const auto number = ++last_number;
  target& to = targets[key];
  to.waiting.emplace(number, reply<void>{promise});
  visitors.emplace(who, visitor{std::move(key), number});
  let_in(to);
  return promise;
}

void connect_gate_state::leave(const caf::actor_addr& who) {
  if (!visitors.contains(who))
    return;
  self->demonitor(who);
  give_back(who);
}

void connect_gate_state::give_back(const caf::actor_addr& who) {
  const auto found = visitors.find(who);
  if (found == visitors.end())
    return;
  const auto at = targets.find(found->second.key);
  target& from = at->second;
  if (const auto waiting = from.waiting.find(found->second.number); waiting != from.waiting.end()) {
    waiting->second.fail(
      make_service_error(error_code::cancelled, "The request for a place was taken back"));
    from.waiting.erase(waiting);
  } else {
    --from.admitted;
  }
  visitors.erase(found);
  let_in(from);
  if (from.admitted == 0)
    targets.erase(at);
}

void connect_gate_state::let_in(target& to) {
  while (!to.waiting.empty() && to.admitted < most) {
    ++to.admitted;
    to.waiting.extract(to.waiting.begin()).mapped().deliver();
  }
}

connect_gate_actor::behavior_type
connect_gate(connect_gate_actor::stateful_pointer<connect_gate_state> self, std::size_t most) {
  self->state.most = most;
  self->set_down_handler(
    [self](const caf::down_msg& message) { self->state.give_back(message.source); });
  return {
    [self](admit_atom, std::string& key) { return self->state.admit(key); },
    [self](done_atom) {
      self->state.leave(caf::actor_cast<caf::actor_addr>(self->current_sender()));
    },
  };
}

} // namespace sshexec
