#include "sshexec/actors/pool/pool_registry.hpp"

#include "sshexec/actors/runtime/request_id.hpp"
#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/runtime/sum_of_answers.hpp"
#include "sshexec/actors/services/environment_variable.hpp"
#include "sshexec/ssh/known_hosts.hpp"
#include "sshexec/ssh/tracked_command.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sshexec {

namespace {

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
}

bool holds_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

/// Bytes of the exec request.
std::size_t size_of_request(const command& what) {
  constexpr std::size_t longest_token = 64;
  return what.tracked ? ssh::wrap_tracked(what.line, std::string(longest_token, 'x')).size()
                      : what.line.size();
}

/// Each costs round trips, so more are a mistake.
constexpr std::size_t most_jumps = 16;

/// Connections that are closed together when descriptors are short.
constexpr std::size_t given_up_at_once = 8;

bool is_bound(caf::timespan x) {
  return x.count() > 0 && x <= longest_duration;
}

bool is_same_place(const jump& a, const jump& b) {
  return a.hostname == b.hostname && a.port == b.port;
}

std::optional<std::string> objection_to_jumps(const machine& target) {
  if (target.via.size() > most_jumps)
    return "there are more than " + std::to_string(most_jumps) + " jumps on the way to the machine";
  std::vector<jump> way = target.via;
  way.push_back({target.hostname, target.port, {}, {}});
  for (auto i = way.begin(); i != way.end(); ++i) {
    if (is_blank(i->hostname))
      return "a jump has no hostname";
    if (holds_nul(i->hostname + i->username + i->identity_file))
      return "a jump holds a NUL byte";
    if (std::any_of(way.begin(), i, [i](const jump& x) { return is_same_place(x, *i); }))
      return "the jumps on the way to the machine are a loop: " + i->hostname + " comes twice";
  }
  return std::nullopt;
}

} // namespace

caf::result<command_result> pool_registry_state::execute(machine& target, command& what) {
  ++requests;
  complete(target);
  complete(what);
  if (shutdown_reason)
    return refuse(target, what, error_code::shutting_down, "the executor is shutting down");
  if (auto reason = objection(target, what))
    return refuse(target, what, error_code::invalid_argument, std::move(*reason));
  const auto chosen = hand_over_to(target);
  return self->delegate(chosen, execute_atom_v, std::move(target), std::move(what));
}

caf::result<tunnel> pool_registry_state::forward(machine& through, tunnel_request& what) {
  if (shutdown_reason)
    return make_service_error(error_code::shutting_down, "the executor is shutting down");
  complete(through);
  return self->delegate(hand_over_to(through, true), forward_atom::value, std::move(what));
}

void pool_registry_state::cancel(machine& target, std::string& command_id) {
  complete(target);
  if (const auto i = machines.find(key_of(target)); i != machines.end())
    self->delegate(i->second.supervisor, cancel_atom_v, std::move(target), std::move(command_id));
}

caf::result<std::uint64_t> pool_registry_state::cancel_everywhere(std::string& command_id) {
  if (command_id.empty())
    return std::uint64_t{0};
  std::vector<supervisor_actor> all;
  all.reserve(machines.size());
  for (const auto& [target, known] : machines)
    all.push_back(known.supervisor);
  return sum_of_answers(self, all, cancel_atom_v,
                        cancel_order{std::move(command_id), self->current_sender()});
}

caf::result<void> pool_registry_state::input(machine& target, std::string& command_id,
                                             std::string& data, bool end) {
  complete(target);
  if (const auto i = machines.find(key_of(target)); i != machines.end())
    return self->delegate(i->second.supervisor, input_atom_v, std::move(target),
                          std::move(command_id), std::move(data), end);
  return make_failure(error_code::invalid_argument, about(target, "no command takes this input"));
}

void pool_registry_state::expired(const machine& target, bool is_jump, std::uint64_t received) {
  const auto i = machines.find(key_of(target, is_jump));
  // A request that is on its way keeps the supervisor, so that none is ever lost to an expiry.
  if (i == machines.end() || i->second.delegated != received)
    return;
  self->send_exit(i->second.supervisor, caf::exit_reason::normal);
  machines.erase(i);
  pool_event event;
  event.kind = pool_event_kind::machine_retired;
  event.time = caf::make_timestamp();
  event.machine = target;
  tell(observers, event);
}

void pool_registry_state::make_room() {
  std::vector<entry*> longest_unused;
  longest_unused.reserve(machines.size());
  for (auto& [target, known] : machines)
    longest_unused.push_back(&known);
  const auto count = static_cast<std::ptrdiff_t>(std::min(given_up_at_once, longest_unused.size()));
  std::partial_sort(longest_unused.begin(), longest_unused.begin() + count, longest_unused.end(),
                    [](const entry* a, const entry* b) { return a->last_asked < b->last_asked; });
  longest_unused.resize(static_cast<std::size_t>(count));
  for (entry* const known : longest_unused) {
    self->send(known->supervisor, make_room_atom::value);
    // One that runs a long command has nothing to give up, and the next call is for others.
    known->last_asked = self->clock().now();
  }
}

void pool_registry_state::supervisor_ended(const caf::actor_addr& supervisor) {
  const auto ended = supervisors.find(supervisor);
  if (ended == supervisors.end())
    return;
  const auto current = machines.find(ended->second);
  if (current != machines.end() && current->second.supervisor == supervisor)
    machines.erase(current);
  supervisors.erase(ended);
  quit_when_done();
}

void pool_registry_state::shut_down(const caf::error& reason) {
  shutdown_reason = reason;
  for (const auto& [supervisor, target] : supervisors)
    self->send_exit(supervisor, caf::exit_reason::user_shutdown);
  quit_when_done();
}

void pool_registry_state::subscribe(const observer_actor& who) {
  auto list = observers ? *observers : std::vector<observer_actor>{};
  // From another node, a handle may arrive empty.
  if (!who || std::find(list.begin(), list.end(), who) != list.end())
    return;
  self->monitor(who);
  list.push_back(who);
  set_observers(std::move(list));
}

void pool_registry_state::unsubscribe(const caf::actor_addr& who) {
  const auto is_meant = [&](const observer_actor& x) { return x.address() == who; };
  if (!observers || std::none_of(observers->begin(), observers->end(), is_meant))
    return;
  self->demonitor(who);
  auto list = *observers;
  std::erase_if(list, is_meant);
  set_observers(std::move(list));
}

void pool_registry_state::credentials_changed(machine& target) {
  complete(target);
  self->send(services.keys, changed_atom_v);
  for (const key& which : std::set{key_of(target), key_of(target, true)})
    if (const auto found = machines.find(which); found != machines.end())
      self->send(found->second.supervisor, changed_atom_v);
}

void pool_registry_state::all_credentials_changed() {
  self->send(services.keys, changed_atom_v);
  for (const auto& [target, known] : machines)
    self->send(known.supervisor, changed_atom_v);
}

void pool_registry_state::set_observers(std::vector<observer_actor> list) {
  observers
    = list.empty() ? nullptr : std::make_shared<const std::vector<observer_actor>>(std::move(list));
  for (const auto& [target, known] : machines)
    self->send(known.supervisor, observers_atom::value, observers);
}

caf::result<executor_status> pool_registry_state::status() {
  auto promise = self->make_response_promise<executor_status>();
  next_askers.emplace_back(promise);
  if (current_survey.missing == 0)
    begin_survey();
  return promise;
}

void pool_registry_state::begin_survey() {
  current_survey = {{}, machines.size(), std::exchange(next_askers, {})};
  // An ended supervisor's mailbox answers with an error, so none is waited for in vain.
  for (const auto& [target, known] : machines) {
    self->request(known.supervisor, caf::infinite, status_atom_v)
      .then(
        [this](machine_status& x, const latency_distribution& latency) {
          current_survey.seen.machines.push_back(std::move(x));
          current_survey.seen.latency.add(latency);
          one_less_missing();
        },
        [this](const caf::error&) { one_less_missing(); });
  }
  if (machines.empty())
    end_survey();
}

void pool_registry_state::one_less_missing() {
  if (--current_survey.missing == 0)
    end_survey();
}

void pool_registry_state::end_survey() {
  executor_status& seen = current_survey.seen;
  seen.requests = requests;
  seen.refused = refused;
  std::sort(seen.machines.begin(), seen.machines.end(),
            [](const auto& a, const auto& b) { return a.machine < b.machine; });
  for (auto& asker : current_survey.askers)
    asker.deliver(seen);
  current_survey = {};
  if (!next_askers.empty())
    begin_survey();
}

std::optional<std::string> pool_registry_state::objection(const machine& target,
                                                          const command& what) const {
  if (is_blank(target.hostname))
    return "the machine has no hostname";
  if (holds_nul(target.hostname + target.username + target.identity_file))
    return "the machine holds a NUL byte";
  if (auto reason = objection_to_jumps(target))
    return reason;
  if (is_blank(what.line))
    return "Command cannot be empty";
  if (holds_nul(what.line))
    return "the command holds a NUL byte";
  if (size_of_request(what) > largest_request)
    return "the command is longer than 255 KiB, which no server takes: send it as input, to a "
           "shell";
  if (what.pty && holds_nul(what.pty->type))
    return "the terminal's type holds a NUL byte";
  if (*what.max_output > largest_data)
    return "at most 1 GiB can be kept of each stream of a command";
  if (what.stdin_data.size() > largest_data)
    return too_much_input;
  if (!is_bound(*what.timeout))
    return "the command's timeout must be longer than 0 and at most a year";
  if (what.deadline && !is_bound(*what.deadline))
    return "the command's deadline must be longer than 0 and at most a year";
  for (const auto& [name, value] : what.environment)
    if (auto reason = objection_to_variable(name, value))
      return reason;
  return std::nullopt;
}

caf::error pool_registry_state::refuse(const machine& target, const command& what, error_code code,
                                       std::string message) {
  ++refused;
  failure reason = about(target, std::move(message));
  reason.request_id = what.id;
  execution_record record;
  record.time = caf::make_timestamp();
  record.machine = target;
  record.request_id = what.id;
  record.command_line = what.line;
  record.outcome = code;
  record.message = reason.message;
  pool_event event;
  event.kind = pool_event_kind::command_finished;
  event.time = record.time;
  event.machine = target;
  event.command_id = what.id;
  event.command_line = what.line;
  event.outcome = code;
  event.detail = reason.message;
  self->send(services.journal, std::move(record));
  tell(observers, event);
  return make_failure(code, std::move(reason));
}

void pool_registry_state::complete(machine& target) const {
  // What is not said is the planner's to say.
  if (services.planner)
    return;
  const auto add_usual = [this](auto& x) {
    if (x.username.empty())
      x.username = config.user;
    if (x.port == 0)
      x.port = ssh::default_port;
  };
  add_usual(target);
  std::for_each(target.via.begin(), target.via.end(), add_usual);
}

void pool_registry_state::complete(command& what) const {
  if (!what.timeout)
    what.timeout = config.command_timeout;
  if (!what.max_output)
    what.max_output = config.max_output;
  if (what.id.empty())
    what.id = make_request_id();
}

pool_registry_state::entry& pool_registry_state::entry_of(const machine& target, bool is_jump) {
  const auto [i, is_new] = machines.try_emplace(key_of(target, is_jump));
  if (is_new) {
    i->second.supervisor = self->spawn(machine_supervisor, target, is_jump, config, services,
                                       caf::actor_cast<registry_actor>(self));
    self->monitor(i->second.supervisor);
    supervisors.emplace(i->second.supervisor.address(), i->first);
    if (observers)
      self->send(i->second.supervisor, observers_atom::value, observers);
  }
  return i->second;
}

supervisor_actor pool_registry_state::hand_over_to(const machine& target, bool as_jump) {
  entry& chosen = entry_of(target, as_jump);
  ++chosen.delegated;
  chosen.last_asked = self->clock().now();
  return chosen.supervisor;
}

void pool_registry_state::quit_when_done() {
  if (shutdown_reason && supervisors.empty())
    quit();
}

void pool_registry_state::quit() {
  // Those who live longer would keep what is left of this actor in memory.
  if (observers) {
    for (const observer_actor& observer : *observers)
      self->demonitor(observer.address());
  }
  for (const caf::actor& service : owned)
    self->send_exit(service, caf::exit_reason::user_shutdown);
  self->quit(*shutdown_reason);
}

registry_actor::behavior_type
pool_registry(registry_actor::stateful_pointer<pool_registry_state> self, settings config,
              supervisor_services services, std::vector<caf::actor> owned) {
  self->state.owned = std::move(owned);
  self->state.config = std::move(config);
  self->state.services = std::move(services);
  self->set_exit_handler(
    [self](const caf::exit_msg& message) { self->state.shut_down(message.reason); });
  self->set_down_handler([self](const caf::down_msg& message) {
    self->state.supervisor_ended(message.source);
    self->state.unsubscribe(message.source);
  });
  return {
    [self](execute_atom, machine& target, command& what) {
      return self->state.execute(target, what);
    },
    [self](cancel_atom, machine& target, std::string& command_id) {
      self->state.cancel(target, command_id);
    },
    [self](cancel_atom, std::string& command_id) {
      return self->state.cancel_everywhere(command_id);
    },
    [self](input_atom, machine& target, std::string& command_id, std::string& data, bool end) {
      return self->state.input(target, command_id, data, end);
    },
    [self](forward_atom, machine& through, tunnel_request& what) {
      return self->state.forward(through, what);
    },
    [self](subscribe_atom, const observer_actor& who) { self->state.subscribe(who); },
    [self](unsubscribe_atom, const observer_actor& who) {
      self->state.unsubscribe(caf::actor_cast<caf::actor_addr>(who));
    },
    [self](status_atom) { return self->state.status(); },
    [self](changed_atom, machine& target) { self->state.credentials_changed(target); },
    [self](changed_atom) { self->state.all_credentials_changed(); },
    [self](expired_atom, const machine& target, bool is_jump, std::uint64_t received) {
      self->state.expired(target, is_jump, received);
    },
    [self](make_room_atom) { self->state.make_room(); },
  };
}

} // namespace sshexec
