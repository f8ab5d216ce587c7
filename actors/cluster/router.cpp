#include "sshexec/actors/cluster/router_state.hpp"
#include "sshexec/actors/runtime/may_end.hpp"
#include "sshexec/actors/runtime/request_id.hpp"
#include "sshexec/actors/runtime/stand_ins.hpp"
#include "sshexec/actors/services/execution_journal.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace sshexec {

namespace {

std::string key_of(const machine& x) {
  return x.id.empty() ? to_address(x) + '/' + x.identity_file : x.id;
}

/// For a node to tell its status.
constexpr auto status_patience = std::chrono::seconds{5};

/// Of a request that is about nodes, and no machine.
caf::error refusal(error_code code, std::string message) {
  failure reason;
  reason.message = std::move(message);
  return make_failure(code, std::move(reason));
}

/// A node that the router has no more to do with may go on.
void take_back_observers(const router_state& state, const executor_actor& node) {
  for (const auto& [address, stand_in] : state.observers)
    state.self->send(node, unsubscribe_atom_v, stand_in);
}

} // namespace

router_state::~router_state() {
  for (const auto& [id, x] : errands)
    caf::anon_send_exit(x.actor, caf::exit_reason::user_shutdown);
}

// -- nodes ---------------------------------------------------------------------------------------

caf::result<void> router_state::join(const std::string& name, const executor_actor& executor) {
  if (!executor || name.empty())
    return refusal(error_code::invalid_argument, "A node needs a name and an executor");
  if (const node_id known = find_node(name)) {
    node& x = nodes.at(known);
    if (x.executor == executor) {
      x.leaving = false;
      for (reply<void>& answer : std::exchange(x.leave_answers, {}))
        answer.fail(refusal(error_code::cancelled, "The node " + name + " joined again"));
      ring.insert(name);
      return caf::unit;
    }
    node_lost(known);
  }
  self->monitor(executor);
  nodes.emplace(++last_node, node{name, executor, false, {}, {}});
  ring.insert(name);
  for (const auto& [address, observer] : observers)
    self->send(executor, subscribe_atom_v, observer);
  return caf::unit;
}

caf::typed_response_promise<void> router_state::leave(const std::string& name) {
  auto promise = self->make_response_promise<void>();
  reply<void> answer{promise};
  if (const node_id id = find_node(name)) {
    nodes.at(id).leave_answers.push_back(std::move(answer));
    begin_leaving(id);
  } else {
    answer.deliver();
  }
  return promise;
}

void router_state::begin_leaving(node_id id) {
  node& x = nodes.at(id);
  x.leaving = true;
  ring.erase(x.name);
  drop_if_drained(id);
}

void router_state::drop_if_drained(node_id id) {
  const auto i = nodes.find(id);
  if (i == nodes.end() || !i->second.leaving || !i->second.errands.empty())
    return;
  self->demonitor(i->second.executor.address());
  take_back_observers(*this, i->second.executor);
  for (reply<void>& answer : i->second.leave_answers)
    answer.deliver();
  nodes.erase(i);
}

void router_state::node_lost(node_id id) {
  auto lost = nodes.extract(id);
  node& x = lost.mapped();
  self->demonitor(x.executor.address());
  take_back_observers(*this, x.executor);
  ring.erase(x.name);
  for (const errand_id errand : x.errands)
    self->send(errands.at(errand).actor, lost_atom::value, id);
  for (const errand_id errand : x.errands)
    release(errand);
  for (reply<void>& answer : x.leave_answers)
    answer.deliver();
}

node_id router_state::find_node(const std::string& name) const {
  const auto i = std::find_if(nodes.begin(), nodes.end(),
                              [&](const auto& entry) { return entry.second.name == name; });
  return i != nodes.end() ? i->first : 0;
}

// -- requests ------------------------------------------------------------------------------------

caf::result<command_result> router_state::execute(machine& target, command& what) {
  complete(target);
  if (what.id.empty())
    what.id = make_request_id();
  const errand_id id = ++last_errand;
  open_errand& x = errands[id];
  x.actor = self->spawn(errand, id, caf::actor_cast<dispatcher_actor>(self), journal);
  x.caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  x.target = target;
  x.command_id = what.id;
  x.key = key_of(target);
  add_name(id);
  auto answer = self->delegate(x.actor, execute_atom_v, std::move(target), std::move(what));
  place(id);
  return answer;
}

void router_state::place(errand_id id) {
  open_errand& x = errands.at(id);
  if (shutdown_reason)
    return self->send(x.actor, shutdown_atom::value);
  const std::string* owner = ring.owner(x.key);
  if (owner == nullptr)
    return self->send(x.actor, nowhere_atom::value);
  busy_machine& target = machines[x.key];
  if (target.running == 0) {
    target.at = find_node(*owner);
  } else if (nodes.at(target.at).leaving) {
    target.held.insert(id);
    return self->send(x.actor, hold_atom::value);
  }
  ++target.running;
  x.at = target.at;
  node& at = nodes.at(x.at);
  at.errands.insert(id);
  self->send(x.actor, go_atom::value, errand_node{x.at, at.name, at.executor});
}

void router_state::release(errand_id id) {
  open_errand& x = errands.at(id);
  const auto i = machines.find(x.key);
  if (i == machines.end())
    return;
  busy_machine& target = i->second;
  target.held.erase(id);
  const node_id at = std::exchange(x.at, 0);
  if (at != 0)
    --target.running;
  if (target.running == 0) {
    const auto held = std::move(target.held);
    machines.erase(i);
    for (const errand_id next : held)
      place(next);
  }
  if (const auto left = nodes.find(at); left != nodes.end()) {
    left->second.errands.erase(id);
    drop_if_drained(at);
  }
}

void router_state::refused(errand_id id, node_id by) {
  if (nodes.contains(by))
    begin_leaving(by);
  place_again(id);
}

void router_state::place_again(errand_id id) {
  if (!errands.contains(id))
    return;
  release(id);
  place(id);
}

void router_state::ended(errand_id id) {
  release(id);
  remove_name(id);
  errands.erase(id);
  quit_when_done();
}

void router_state::cancel(machine& target, const std::string& command_id) {
  complete(target);
  for (const errand_id id : sender_errands(target, command_id))
    cancel_errand(errands.at(id));
}

std::uint64_t router_state::cancel_everywhere(const std::string& command_id) {
  std::uint64_t result = 0;
  for (auto& [id, x] : errands) {
    if (x.command_id == command_id && may_end(self->current_sender(), x.caller) && cancel_errand(x))
      ++result;
  }
  return result;
}

bool router_state::cancel_errand(open_errand& x) {
  self->send(x.actor, cancel_atom_v);
  return !std::exchange(x.is_cancelled, true);
}

caf::result<void> router_state::input(machine& target, const std::string& command_id,
                                      std::string& data, bool is_end) {
  complete(target);
  const auto meant = sender_errands(target, command_id);
  if (meant.empty())
    return make_failure(error_code::invalid_argument, about(target, "no command takes this input"));
  return self->delegate(errands.at(meant.front()).actor, input_atom_v, std::move(data), is_end);
}

void router_state::caller_ended(const caf::actor_addr& caller) {
  const auto i = callers.find(caller);
  if (i == callers.end())
    return;
  for (const auto& [target, command_id, id] : i->second)
    self->send(errands.at(id).actor, orphaned_atom::value);
}

// -- who watches ---------------------------------------------------------------------------------

void router_state::subscribe(const observer_actor& who) {
  if (!who || observers.contains(who.address()))
    return;
  // A node that knew the observer itself might never hear of its end, which is on a third one.
  const auto stand_in = self->spawn(observer_stand_in, who, caf::actor_cast<executor_actor>(self));
  observers.emplace(who.address(), stand_in);
  self->monitor(stand_in);
  tell_nodes(subscribe_atom_v, stand_in);
}

void router_state::unsubscribe(const observer_actor& who) {
  const auto i = who ? observers.find(who.address()) : observers.end();
  if (i == observers.end())
    return;
  self->demonitor(i->second.address());
  tell_nodes(unsubscribe_atom_v, i->second);
  self->send_exit(i->second, caf::exit_reason::user_shutdown);
  observers.erase(i);
}

caf::typed_response_promise<executor_status> router_state::status() {
  struct survey {
    reply<executor_status> answer;
    executor_status total;

    ~survey() {
      if (answer.pending())
        answer.deliver(std::move(total));
    }
  };

  auto promise = self->make_response_promise<executor_status>();
  // Its last owner is the node that answers last.
  const auto all = std::make_shared<survey>();
  all->answer = reply<executor_status>{promise};
  for (const auto& [id, x] : nodes)
    self->request(x.executor, status_patience, status_atom_v)
      .then(
        [all](executor_status& part) {
          auto& machines = all->total.machines;
          machines.insert(machines.end(), part.machines.begin(), part.machines.end());
          all->total.requests += part.requests;
          all->total.refused += part.refused;
          all->total.latency.add(part.latency);
        },
        [all](const caf::error&) {});
  return promise;
}

// -- the end -------------------------------------------------------------------------------------

void router_state::actor_ended(const caf::actor_addr& source) {
  for (auto i = observers.begin(); i != observers.end(); ++i) {
    if (i->second.address() != source)
      continue;
    tell_nodes(unsubscribe_atom_v, i->second);
    observers.erase(i);
    return;
  }
  caller_ended(source);
  const auto i = std::find_if(nodes.begin(), nodes.end(), [&](const auto& entry) {
    return entry.second.executor.address() == source;
  });
  if (i != nodes.end())
    node_lost(i->first);
}

void router_state::shut_down(const caf::error& reason) {
  const bool insisted = shutdown_reason.has_value();
  shutdown_reason = reason;
  for (const auto& [id, x] : errands) {
    if (x.at == 0)
      self->send(x.actor, shutdown_atom::value);
  }
  if (insisted || config.drain_timeout.count() == 0)
    drained();
  else if (!errands.empty())
    self->delayed_send(self, config.drain_timeout, shutdown_atom::value);
  quit_when_done();
}

void router_state::drained() {
  for (const auto& [id, x] : errands)
    self->send(x.actor, shutdown_atom::value);
}

void router_state::quit_when_done() {
  if (!shutdown_reason || !errands.empty())
    return;
  for (const auto& [id, x] : nodes) {
    self->demonitor(x.executor.address());
    take_back_observers(*this, x.executor);
  }
  nodes.clear();
  for (const auto& [address, stand_in] : observers) {
    self->demonitor(stand_in.address());
    self->send_exit(stand_in, caf::exit_reason::user_shutdown);
  }
  observers.clear();
  if (journal)
    self->send_exit(journal, caf::exit_reason::user_shutdown);
  self->quit(*shutdown_reason);
}

// -- plumbing ------------------------------------------------------------------------------------

void router_state::complete(machine& target) const {
  if (target.username.empty())
    target.username = config.user;
}

void router_state::add_name(errand_id id) {
  const open_errand& x = errands.at(id);
  auto& names = callers[x.caller];
  if (names.empty() && x.caller)
    self->monitor(caf::actor_cast<caf::actor>(x.caller));
  names.emplace(x.target, x.command_id, id);
}

void router_state::remove_name(errand_id id) {
  const open_errand& x = errands.at(id);
  const auto i = callers.find(x.caller);
  i->second.erase({x.target, x.command_id, id});
  if (!i->second.empty())
    return;
  if (x.caller)
    self->demonitor(x.caller);
  callers.erase(i);
}

std::vector<errand_id> router_state::sender_errands(const machine& target,
                                                    const std::string& command_id) const {
  std::vector<errand_id> result;
  const auto i = callers.find(caf::actor_cast<caf::actor_addr>(self->current_sender()));
  if (i == callers.end())
    return result;
  const meant_ids meant{command_id};
  for (auto name = i->second.lower_bound({target, meant.first(), 0});
       name != i->second.end() && std::get<machine>(*name) == target
       && meant.contains(std::get<std::string>(*name));
       ++name)
    result.push_back(std::get<errand_id>(*name));
  std::sort(result.begin(), result.end());
  return result;
}

routing_actor::behavior_type router(routing_actor::stateful_pointer<router_state> self,
                                    settings config, journal_actor journal) {
  router_state& state = self->state;
  state.config = std::move(config);
  state.journal = std::move(journal);
  self->set_exit_handler(
    [&state](const caf::exit_msg& message) { state.shut_down(message.reason); });
  self->set_down_handler(
    [&state](const caf::down_msg& message) { state.actor_ended(message.source); });
  return {
    [&state](execute_atom, machine& target, command& what) { return state.execute(target, what); },
    [&state](cancel_atom, machine& target, const std::string& command_id) {
      state.cancel(target, command_id);
    },
    [&state](cancel_atom, const std::string& command_id) {
      return state.cancel_everywhere(command_id);
    },
    [&state](input_atom, machine& target, const std::string& command_id, std::string& data,
             bool is_end) { return state.input(target, command_id, data, is_end); },
    [&state](subscribe_atom, const observer_actor& who) { state.subscribe(who); },
    [&state](unsubscribe_atom, const observer_actor& who) { state.unsubscribe(who); },
    [&state](status_atom) { return state.status(); },
    [&state](changed_atom, const machine& target) { state.tell_nodes(changed_atom_v, target); },
    [&state](changed_atom) { state.tell_nodes(changed_atom_v); },
    [&state](join_atom, const std::string& name, const executor_actor& executor) {
      return state.join(name, executor);
    },
    [&state](leave_atom, const std::string& name) { return state.leave(name); },
    [&state](place_atom, errand_id id) { state.place_again(id); },
    [&state](refused_atom, errand_id id, node_id by) { state.refused(id, by); },
    [&state](ended_atom, errand_id id) { state.ended(id); },
    [&state](shutdown_atom) { state.drained(); },
  };
}

caf::expected<router_actor> spawn_router(caf::actor_system& system, const settings& config) {
  if (auto complaint = validate(config))
    return complaint;
  auto journal = spawn_journal(system, config);
  if (!journal)
    return std::move(journal.error());
  return spawn_router(system, config, *journal);
}

caf::expected<router_actor> spawn_router(caf::actor_system& system, const settings& config,
                                         journal_actor journal) {
  if (auto complaint = validate(config))
    return complaint;
  return router_actor{system.spawn(router, config, std::move(journal))};
}

} // namespace sshexec
