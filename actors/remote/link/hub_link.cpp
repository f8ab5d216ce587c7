#include "sshexec/actors/remote/link/hub_link.hpp"

#include "sshexec/actors/remote/link/hub_error.hpp"
#include "sshexec/actors/remote/wire/connector.hpp"
#include "sshexec/actors/runtime/may_end.hpp"
#include "sshexec/actors/runtime/stand_ins.hpp"
#include "sshexec/actors/runtime/sum_of_answers.hpp"

#include <caf/io/middleman.hpp>
#include <caf/spawn_options.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace sshexec {

namespace {

/// An error of CAF's networking says little to people.
failure explain(const std::string& hub, bool is_plain, const caf::error& reason) {
  if (reason.category() == caf::atom("sshexec")) {
    const failure what = to_failure(reason);
    return hub_failure(hub, what.fault, what.message);
  }
  return hub_failure(hub, connection_fault::protocol,
                     std::string{"what listens there is no hub, "} + (is_plain ? "wants TLS, " : "")
                       + "or no longer answers (" + caf::to_string(reason) + ')');
}

/// CAF would lose the connection over a message that is too large for it.
caf::error refusal_of_input(const machine& target) {
  return make_failure(error_code::invalid_argument, about(target, too_much_input));
}

} // namespace

caf::result<command_result> hub_link_state::execute(machine& target, command& what) {
  if (now != stage::connected && now != stage::starting)
    return about(target, refusal());
  if (what.stdin_data.size() > largest_data)
    return refusal_of_input(target);
  return self->delegate(relay_of_sender(), execute_atom_v, std::move(target), std::move(what));
}

caf::result<void> hub_link_state::cancel(machine& target, std::string& command_id) {
  if (now == stage::connected || now == stage::starting)
    return self->delegate(relay_of_sender(), cancel_atom_v, std::move(target),
                          std::move(command_id));
  return caf::unit;
}

caf::result<std::uint64_t> hub_link_state::cancel_everywhere(const std::string& command_id) {
  std::vector<relay_actor> meant;
  for (const auto& [caller, relay] : relays) {
    if (may_end(self->current_sender(), caller))
      meant.push_back(relay);
  }
  return sum_of_answers(self, meant, cancel_atom_v, command_id);
}

caf::result<void> hub_link_state::input(machine& target, std::string& command_id, std::string& data,
                                        bool end) {
  if (now == stage::starting)
    return caf::skip;
  if (now != stage::connected)
    return about(target, refusal());
  if (data.size() > largest_data)
    return refusal_of_input(target);
  return self->delegate(relay_of_sender(), input_atom_v, std::move(target), std::move(command_id),
                        std::move(data), end);
}

caf::result<executor_status> hub_link_state::status() {
  if (now == stage::starting)
    return caf::skip;
  if (now != stage::connected)
    return refusal();
  return self->delegate(relay_of_sender(), status_atom_v);
}

void hub_link_state::subscribe(const observer_actor& who) {
  if (!who || observers.contains(who.address()))
    return;
  const auto stand_in = self->spawn(observer_stand_in, who, caf::actor_cast<executor_actor>(self));
  observers.emplace(who.address(), stand_in);
  self->monitor(stand_in);
  if (executor)
    self->send(executor, subscribe_atom_v, stand_in);
}

void hub_link_state::unsubscribe(const observer_actor& who) {
  if (!who)
    return;
  const auto found = observers.extract(who.address());
  if (!found)
    return;
  if (executor)
    self->send(executor, unsubscribe_atom_v, found.mapped());
  self->send_exit(found.mapped(), caf::exit_reason::user_shutdown);
}

relay_actor hub_link_state::relay_of_sender() {
  const caf::strong_actor_ptr sender = self->current_sender();
  const auto [found, is_new] = relays.try_emplace(caf::actor_cast<caf::actor_addr>(sender));
  if (is_new) {
    found->second = self->spawn(caller_relay, executor, hub);
    if (sender)
      self->monitor(caf::actor_cast<caf::actor>(sender));
  }
  return found->second;
}

caf::error hub_link_state::refusal() const {
  const auto code
    = now == stage::closing ? error_code::shutting_down : error_code::connection_error;
  return make_failure(code, reason);
}

void hub_link_state::connect(std::uint64_t number) {
  if (now == stage::closing || number != attempt)
    return;
  // The connector waits at one end, and gives up when the other one is closed.
  auto [wanted, ours] = ssh::make_pipe();
  dialing = std::move(ours);
  connector = self->spawn<caf::detached>(sshexec::connector, config.hub, tls, config.tls,
                                         config.connect_timeout,
                                         std::make_shared<ssh::file_descriptor>(std::move(wanted)));
  self->delayed_send(self, config.connect_timeout, expire_atom::value, number);
  self->request(connector, caf::infinite, caf::connect_atom::value)
    .then(
      [this, number](const caf::node_id&, const caf::strong_actor_ptr& published,
                     const std::set<std::string>& interface) {
        if (number == attempt)
          reached(published, interface);
      },
      [this, number](const caf::error& error) {
        if (number == attempt)
          attempt_failed(explain(hub, config.plain, error));
      });
}

void hub_link_state::reached(const caf::strong_actor_ptr& published,
                             const std::set<std::string>& interface) {
  if (!published || !self->system().assignable<gate_actor>(interface))
    return attempt_failed(
      hub_failure(hub, connection_fault::protocol, "what is published there is no executor"));
  // CAF answers no request over a connection that has ended.
  greeter = caf::actor_cast<gate_actor>(published);
  self->monitor(greeter);
  self->request(greeter, caf::infinite, hello_atom::value, config.version)
    .then(
      [this, number = attempt](std::uint32_t version, const caf::strong_actor_ptr& handle) {
        if (number == attempt)
          greeted(version, handle);
      },
      [this, number = attempt](const caf::error& error) {
        if (number == attempt)
          attempt_failed(explain(hub, config.plain, error));
      });
}

void hub_link_state::greeted(std::uint32_t version, const caf::strong_actor_ptr& published) {
  if (version != config.version || !published)
    return attempt_failed(hub_failure(hub, connection_fault::protocol,
                                      "it speaks version " + std::to_string(version)
                                        + " of the protocol, this client version "
                                        + std::to_string(config.version)));
  end_attempt();
  delay = caf::timespan{0};
  executor = caf::actor_cast<executor_actor>(published);
  self->monitor(executor);
  now = stage::connected;
  for (const auto& [caller, relay] : relays)
    self->send(relay, reached_atom::value, executor);
  for (const auto& [observer, stand_in] : observers)
    self->send(executor, subscribe_atom_v, stand_in);
  if (config.on_connected)
    config.on_connected(executor);
}

void hub_link_state::attempt_failed(failure why) {
  end_attempt();
  disconnected(std::move(why));
}

void hub_link_state::ended(const caf::down_msg& message) {
  if (greeter && message.source == greeter.address()) {
    attempt_failed(hub_failure(hub, connection_fault::dropped, "the connection was lost"));
    return;
  }
  if (executor && message.source == executor.address()) {
    disconnected(hub_failure(hub, connection_fault::dropped, "the connection was lost"));
    return;
  }
  // A stand-in ends with its observer.
  std::erase_if(observers, [&](const auto& x) { return x.second.address() == message.source; });
  if (const auto found = relays.extract(message.source))
    self->send_exit(found.mapped(), caf::exit_reason::user_shutdown);
}

void hub_link_state::disconnected(failure why) {
  if (now == stage::closing)
    return;
  now = stage::disconnected;
  reason = std::move(why);
  executor = nullptr;
  end_relays();
  connect_later();
}

void hub_link_state::connect_later() {
  delay = std::max(config.first_delay, std::min(2 * delay, config.last_delay));
  std::uniform_real_distribution<double> share{0, 0.25};
  const auto jitter = caf::timespan{
    static_cast<caf::timespan::rep>(share(random) * static_cast<double>(delay.count()))};
  self->delayed_send(self, delay + jitter, attempt_atom::value, ++attempt);
}

/// However the link ends, those who wait for its relays are answered.
hub_link_state::~hub_link_state() {
  const auto ended
    = make_failure(error_code::shutting_down,
                   hub_failure(hub, connection_fault::none, "the link to it has ended"));
  for (const auto& [caller, relay] : relays)
    caf::anon_send(relay, refuse_atom::value, ended);
}

void hub_link_state::end_relays() {
  for (const auto& [caller, relay] : relays) {
    // An exit message would overtake requests.
    self->send(relay, refuse_atom::value, refusal());
    if (caller)
      self->demonitor(caller);
  }
  relays.clear();
}

void hub_link_state::close() {
  now = stage::closing;
  reason = hub_failure(hub, connection_fault::none, "the link to it was ended");
  end_attempt();
  end_relays();
  // Behind whatever waits for the first attempt.
  self->send(self, leave_atom::value);
}

void hub_link_state::leave() {
  self->quit(caf::exit_reason::user_shutdown);
}

void hub_link_state::end_attempt() {
  ++attempt;
  if (connector)
    self->send_exit(connector, caf::exit_reason::user_shutdown);
  connector = nullptr;
  dialing = {};
  if (greeter)
    self->demonitor(greeter.address());
  greeter = nullptr;
}

hub_link_actor::behavior_type hub_link(hub_link_actor::stateful_pointer<hub_link_state> self,
                                       connect_settings config, tls_context tls) {
  auto& state = self->state;
  state.hub = to_string(config.hub);
  state.config = std::move(config);
  state.tls = std::move(tls);
  self->set_exit_handler([self](const caf::exit_msg&) { self->state.close(); });
  self->set_down_handler([self](const caf::down_msg& message) { self->state.ended(message); });
  self->send(self, attempt_atom::value, state.attempt);
  return {
    [self](execute_atom, machine& target, command& what) {
      return self->state.execute(target, what);
    },
    [self](cancel_atom, machine& target, std::string& command_id) {
      return self->state.cancel(target, command_id);
    },
    [self](cancel_atom, const std::string& command_id) {
      return self->state.cancel_everywhere(command_id);
    },
    [self](input_atom, machine& target, std::string& command_id, std::string& data, bool end) {
      return self->state.input(target, command_id, data, end);
    },
    [self](subscribe_atom, const observer_actor& who) { self->state.subscribe(who); },
    [self](unsubscribe_atom, const observer_actor& who) { self->state.unsubscribe(who); },
    [self](status_atom) { return self->state.status(); },
    [self](changed_atom, const machine& target) { self->state.pass_on(changed_atom_v, target); },
    [self](changed_atom) { self->state.pass_on(changed_atom_v); },
    [self](attempt_atom, std::uint64_t number) { self->state.connect(number); },
    [self](expire_atom, std::uint64_t number) {
      if (number == self->state.attempt)
        self->state.attempt_failed(
          hub_failure(self->state.hub, connection_fault::timed_out, "it does not answer"));
    },
    [self](leave_atom) { self->state.leave(); },
  };
}

} // namespace sshexec
