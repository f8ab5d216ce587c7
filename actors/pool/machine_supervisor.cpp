#include "sshexec/actors/pool/machine_supervisor.hpp"

#include "sshexec/actors/pool/host_key_verdict.hpp"
#include "sshexec/actors/runtime/borrowed_thread.hpp"
#include "sshexec/actors/runtime/duration_text.hpp"
#include "sshexec/ssh/dialer.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace sshexec {

namespace {

template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};

template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

/// Other messages get their turn after so many rounds of news from the connection.
constexpr int max_rounds = 8;

const setback shutting_down{error_code::shutting_down, connection_fault::none,
                            "the executor is shutting down"};

setback timed_out(std::string text) {
  return {error_code::connection_error, connection_fault::timed_out, std::move(text)};
}

setback dropped(std::string text) {
  return {error_code::connection_error, connection_fault::dropped, std::move(text)};
}

} // namespace

// -- a command arrives ---------------------------------------------------------------------------

caf::typed_response_promise<command_result> machine_supervisor_state::execute(command& what) {
  ++received;
  // A tick may be on its way, and must not find a machine idle that has a command again.
  idle_until.reset();
  timers.cancel(timer::idle);
  // The promise takes the sender away.
  const auto caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  auto promise = self->make_response_promise<command_result>();
  watch(caller);
  watch(what.output_to ? what.output_to.address() : caf::actor_addr{});
  runner.add(what, caller, reply<command_result>{promise, plan.target}, objection());
  pursue();
  drive_soon();
  return promise;
}

std::optional<setback> machine_supervisor_state::objection() const {
  if (life == life_stage::closing)
    return shutting_down;
  const std::size_t waiting = runner.commands().in(execution::stage::waiting).size();
  if (waiting >= plan.config.max_queued)
    return setback{error_code::overloaded, connection_fault::none,
                   std::to_string(waiting) + " commands wait for this machine already"};
  return retries.objection(now());
}

setback machine_supervisor_state::as_jump(const setback& reason) const {
  return {reason.code, reason.fault, name_as_jump() + ": " + reason.text};
}

std::string machine_supervisor_state::name_as_jump() const {
  return "jump " + to_address(plan.target);
}

void machine_supervisor_state::watch(const caf::actor_addr& whom) {
  if (whom && watched.insert(whom).second)
    self->monitor(whom);
}

void machine_supervisor_state::cancel(const std::string& command_id) {
  runner.cancel(caf::actor_cast<caf::actor_addr>(self->current_sender()), command_id);
  drive();
}

std::uint64_t machine_supervisor_state::cancel(const cancel_order& order) {
  const std::uint64_t result = runner.cancel(order);
  drive();
  return result;
}

caf::result<void> machine_supervisor_state::input(const std::string& command_id, std::string& data,
                                                  bool end) {
  const auto caller = caf::actor_cast<caf::actor_addr>(self->current_sender());
  auto result = runner.input(caller, command_id, data, end);
  drive();
  return result;
}

caf::typed_response_promise<tunnel> machine_supervisor_state::forward(tunnel_request& what) {
  ++received;
  idle_until.reset();
  timers.cancel(timer::idle);
  auto promise = self->make_response_promise<tunnel>();
  visitors.add(std::move(what), reply<tunnel>{promise});
  if (life == life_stage::closing)
    visitors.shut_down(shutting_down);
  else if (const auto left_alone = retries.objection(now()))
    visitors.attempt_failed(as_jump(*left_alone));
  drive_soon();
  return promise;
}

// -- what has to be done now ---------------------------------------------------------------------

void machine_supervisor_state::pursue() {
  look_at_commands();
  look_at_attempt();
  look_at_peer();
  look_at_channels();
  look_at_guests();
  if (link.is<machine_link::idle>() && any_waits())
    connect();
}

void machine_supervisor_state::look_at_commands() {
  if (runner.look_at_deadlines())
    lost(timed_out("the server did not answer the request for a channel within "
                   + to_text(plan.config.connect_timeout)));
}

void machine_supervisor_state::look_at_attempt() {
  if (auto* const x = link.get<attempt>()) {
    x->try_next_address(now());
    if (x->expires && now() >= *x->expires)
      attempt_failed(out_of_time(*x));
  } else if (const auto* const delay = link.get<machine_link::delay>();
             delay != nullptr && now() >= delay->until) {
    if (!any_waits())
      retries.start_afresh();
    link.drop();
  }
}

setback machine_supervisor_state::out_of_time(const attempt& x) const {
  const std::string bound = to_text(x.patience);
  if (x.connection && x.connection->has_password_in_doubt())
    return {error_code::authentication_error, connection_fault::none,
            "no login within " + bound
              + " of a server that was given the password: it is not given it again"};
  return timed_out("no connection within " + bound + " (stopped at: " + x.step + ')');
}

void machine_supervisor_state::look_at_peer() {
  auto* const x = link.get<established>();
  if (x == nullptr || now() < x->peer.deadline())
    return;
  switch (x->peer.look(now(), x->connection->is_reading())) {
    case liveness::verdict::wait:
      return;
    case liveness::verdict::ask:
      return x->ask().send_keepalive();
    case liveness::verdict::lost:
      return lost(timed_out("the server was silent for " + to_text(x->peer.silence(now()))));
  }
}

void machine_supervisor_state::look_at_channels() {
  using step = channel_pool::step;
  while (auto* const x = link.get<established>()) {
    if (must_renew(*x))
      return close_connection();
    switch (x->channels.next(now(), demand(*x))) {
      case step::wait:
        return;
      case step::start_command:
        runner.start_next(*x);
        break;
      case step::start_hunt:
        runner.start_hunt(*x);
        break;
      case step::open_spare:
        x->channels.spare_requested();
        x->ask().open_spare();
        break;
      case step::give_up_connection:
        return lost(dropped("the server did not close channels that were given up"));
    }
  }
}

void machine_supervisor_state::look_at_guests() {
  visitors.forget_late(now());
  auto* const on = link.get<established>();
  while (on != nullptr) {
    const auto next = visitors.open_next();
    if (!next)
      return;
    on->ask().forward(next->first, next->second);
  }
}

bool machine_supervisor_state::must_renew(const established& x) const {
  if (visitors.any_on_connection())
    return false;
  // One that has carried nothing yet is as good as a new one.
  const bool is_old = x.grows_old && now() >= *x.grows_old && x.channels.commands_sent() > 0;
  return (is_old && x.channels.is_unused())
         || (x.takes_no_more() && runner.commands().on_channels() == 0);
}

channel_pool::demand machine_supervisor_state::demand(const established& x) const {
  channel_pool::demand result;
  // With guests it lives on, whatever changed, so it serves all.
  const bool serves = !x.takes_no_more() || visitors.any_on_connection();
  result.command = serves && runner.any_waits();
  result.hunt = x.hunting.any_wanted();
  result.spare = serves && life == life_stage::serving;
  result.running = runner.commands().on_channels() > 0 || visitors.any_on_connection();
  result.tracked = runner.commands().tracks();
  return result;
}

// -- a connection comes about --------------------------------------------------------------------

machine_link::attempt& machine_supervisor_state::connect() {
  attempt& result = link.begin_attempt(now(), connect_timeout);
  tell(pool_event_kind::connecting);
  runner.join_attempt();
  if (services.planner)
    look_up_plan(result);
  else
    prepare(result);
  return result;
}

void machine_supervisor_state::look_up_plan(attempt& x) {
  x.step = "reading OpenSSH's configuration";
  ask<connection_plan>(
    services.planner,
    [this](attempt& asking, connection_plan& made) {
      follow(asking, std::move(made));
      prepare(asking);
    },
    plan_atom::value, plan_request{asked, is_jump, *x.expires});
}

void machine_supervisor_state::follow(attempt& x, connection_plan made) {
  // ConnectTimeout is for the connection, and what was said of it took time of its own.
  x.begin(now(), made.config.connect_timeout);
  retries.use_delays(made.config.retry_delays);
  plan = std::move(made);
  // A store that was given to the executor knows best.
  if (!services.host_key_files)
    plan.known_hosts.reset();
}

void machine_supervisor_state::prepare(attempt& x) {
  x.step = "looking up keys and addresses";
  const auto take_login = [this](attempt& asking, ssh::login& login) {
    runner.login_name = login.username;
    asking.login = std::move(login);
    queue_when_prepared(asking);
  };
  if (plan.login == login_wishes{})
    ask<ssh::login>(services.keys, take_login, load_atom_v, plan.target);
  else
    ask<ssh::login>(services.keys, take_login, load_atom_v, plan.target, plan.login);
  look_up_address(x);
  ask<ssh::cipher_families>(
    services.ciphers,
    [this](attempt& asking, ssh::cipher_families& left_out) {
      asking.ciphers_left_out = std::move(left_out);
      queue_when_prepared(asking);
    },
    check_atom::value);
  look_up_host_key(x);
}

void machine_supervisor_state::look_up_address(attempt& x) {
  // What somebody carries a stream to, that one finds.
  if (is_carried())
    x.addresses.emplace();
  else
    ask<std::vector<ssh::address>>(
      services.resolver,
      [this](attempt& asking, std::vector<ssh::address>& addresses) {
        take_addresses(asking, std::move(addresses));
      },
      resolve_atom::value, plan.hostname, plan.target.port);
}

void machine_supervisor_state::take_addresses(attempt& x, std::vector<ssh::address> addresses) {
  if (plan.family != ssh::address_family::any) {
    const int wanted = plan.family == ssh::address_family::inet ? AF_INET : AF_INET6;
    std::erase_if(addresses,
                  [wanted](const ssh::address& one) { return one.storage.ss_family != wanted; });
  }
  if (addresses.empty())
    return attempt_failed({error_code::connection_error, connection_fault::name_not_found,
                           plan.hostname + " has no address of the wanted AddressFamily"});
  x.addresses = std::move(addresses);
  queue_when_prepared(x);
}

void machine_supervisor_state::look_up_host_key(attempt& x) {
  if (plan.config.host_key_policy == host_key_policy::off) {
    x.known.emplace();
    return;
  }
  const auto take_known = [this](attempt& asking, ssh::known_keys& known) {
    asking.known = std::move(known);
    queue_when_prepared(asking);
  };
  if (plan.known_hosts)
    ask<ssh::known_keys>(services.host_key_files, take_known, look_up_atom_v, plan.key_name,
                         plan.key_port, *plan.known_hosts);
  else
    ask<ssh::known_keys>(services.host_keys, take_known, look_up_atom_v, plan.key_name,
                         plan.key_port);
}

template <class Answer, class Service, class Handler, class... Arguments>
void machine_supervisor_state::ask(const Service& service, Handler on_answer,
                                   const Arguments&... arguments) {
  self->request(service, caf::infinite, arguments...)
    .then([this, number = link.number(), on_answer](
            Answer& answer) { proceed(number, [&](attempt& x) { on_answer(x, answer); }); },
          [this, number = link.number()](const caf::error& reason) {
            proceed(number, [&](attempt&) { attempt_failed(to_setback(reason)); });
          });
}

template <class Step>
void machine_supervisor_state::proceed(std::uint64_t number, Step step) {
  auto* const x = link.get<attempt>();
  if (x == nullptr || number != link.number())
    return;
  step(*x);
  drive();
}

void machine_supervisor_state::queue_when_prepared(attempt& x) {
  if (!x.is_prepared())
    return;
  x.step = "waiting for its turn to connect";
  // The wait for others that connect to the same address is no fault of the machine's.
  x.time_left = *x.expires - now();
  x.expires.reset();
  x.place = gate_place{[me = self, gate = services.gate] { me->send(gate, done_atom::value); }};
  const auto number = link.number();
  self->request(services.gate, caf::infinite, admit_atom::value, name_at_gate(x))
    .then([this, number] { proceed(number, [this](attempt& waiting) { turn_came(waiting); }); },
          [this, number](const caf::error& reason) {
            proceed(number, [&](attempt&) { attempt_failed(to_setback(reason)); });
          });
}

std::string machine_supervisor_state::name_at_gate(const attempt& x) const {
  if (!is_carried())
    return ssh::to_string(x.addresses->front());
  return plan.hostname + ':' + std::to_string(plan.target.port) + " through "
         + plan.proxy_command.value_or(
           plan.target.via.empty() ? "" : to_address(last_jump(plan.target)));
}

void machine_supervisor_state::turn_came(attempt& x) {
  if (!any_waits())
    return attempt_failed(
      {error_code::cancelled, connection_fault::none, "nobody waits for the connection any more"});
  x.expires = now() + x.time_left;
  if (plan.proxy_command)
    go_through_program(x);
  else if (is_carried())
    go_through_jump(x);
  else
    dial(x);
}

void machine_supervisor_state::go_through_program(attempt& x) {
  x.step = "starting its ProxyCommand";
  ask<tunnel>(
    services.programs,
    [this](attempt& waiting, tunnel& stream) {
      waiting.carrier = std::move(stream);
      dial(waiting);
    },
    start_program_atom::value, proxy_request{*plan.proxy_command, *x.expires});
}

void machine_supervisor_state::go_through_jump(attempt& x) {
  const auto strong_registry = registry.lock();
  if (!strong_registry)
    return attempt_failed(shutting_down);
  const machine through = last_jump(plan.target);
  x.step = "connecting through jump " + to_address(through);
  ask<tunnel>(
    caf::actor_cast<registry_actor>(strong_registry),
    [this](attempt& waiting, tunnel& stream) {
      waiting.carrier = std::move(stream);
      dial(waiting);
    },
    forward_atom::value, through, tunnel_request{{plan.hostname, plan.target.port}, *x.expires});
}

void machine_supervisor_state::dial(attempt& x) {
  // The poller must not keep a supervisor alive, and may notify one that is gone.
  auto notify = [weak_self = caf::actor_cast<caf::weak_actor_ptr>(self), number = link.number()] {
    if (auto strong_self = weak_self.lock())
      borrowed_thread{*strong_self->home_system}.deliver(strong_self, ready_atom::value, number);
  };
  x.step = "connecting";
  if (x.addresses->size() > 1)
    x.next_address = now() + ssh::address_delay;
  x.connection = services.connect(connection_settings(x), std::move(notify));
  x.was_asked = true;
}

ssh::connection_settings machine_supervisor_state::connection_settings(attempt& x) const {
  ssh::connection_settings result;
  result.addresses = std::move(*x.addresses);
  result.carrier = std::move(x.carrier);
  result.username = runner.login_name.empty() ? plan.target.username : runner.login_name;
  result.keys = std::move(x.login->keys);
  result.agents = std::move(x.login->agents);
  result.passed_over = std::move(x.login->passed_over);
  if (const auto objection = objection_to_password(); !objection)
    result.password = std::move(x.login->password);
  else if (!x.login->password.empty())
    result.passed_over += (result.passed_over.empty() ? "" : "; ") + *objection;
  for (const auto* keys : {&x.known->trusted, &x.known->at_usual_port}) {
    for (const ssh::host_key& key : *keys)
      result.preferred_host_key_types.push_back(key.type);
  }
  result.ciphers_left_out = std::move(*x.ciphers_left_out);
  result.peer_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
    plan.config.keepalive_interval * liveness::silent_intervals);
  return result;
}

std::optional<std::string> machine_supervisor_state::objection_to_password() const {
  // It is what the machine behind it takes, and no business of the jump's.
  if (!runner.any_waits())
    return "a jump is given no password";
  // Anybody could be there.
  if (plan.config.host_key_policy == host_key_policy::off)
    return "no password is given while host keys are not checked";
  return std::nullopt;
}

void machine_supervisor_state::transport_connected(const ssh::event::transport_connected& e) {
  if (e.descriptors_run_short)
    tell_registry(make_room_atom::value);
  auto* const x = link.get<attempt>();
  x->step = "exchanging keys";
  x->next_address.reset();
}

void machine_supervisor_state::host_key_presented(const ssh::host_key& key) {
  auto* const x = link.get<attempt>();
  const host_key_verdict verdict = judge(plan.config.host_key_policy, *x->known, key);
  switch (verdict.what) {
    case host_key_verdict::kind::trust:
      return trust_host_key(*x);
    case host_key_verdict::kind::refuse:
      return attempt_failed({error_code::host_key_error, connection_fault::none, verdict.reason});
    case host_key_verdict::kind::remember:
      return remember(key);
  }
}

void machine_supervisor_state::remember(const ssh::host_key& key) {
  const auto trust = [this](attempt& asking, const ssh::host_key&) { trust_host_key(asking); };
  if (plan.known_hosts)
    ask<ssh::host_key>(services.host_key_files, trust, remember_atom_v, plan.key_name,
                       plan.key_port, key, *plan.known_hosts);
  else
    ask<ssh::host_key>(services.host_keys, trust, remember_atom_v, plan.key_name, plan.key_port,
                       key);
}

void machine_supervisor_state::trust_host_key(attempt& x) {
  x.step = "authenticating";
  x.connection->authenticate();
  x.was_asked = true;
}

void machine_supervisor_state::connected() {
  tell(pool_event_kind::connected);
  retries.connected();
  link.establish(now(), channel_rules(), plan.config.keepalive_interval,
                 plan.config.max_connection_age);
  runner.connected();
}

channel_pool::rules machine_supervisor_state::channel_rules() const {
  if (one_at_a_time.holds(now()))
    return {1, false, plan.config.connect_timeout};
  return {plan.config.max_channels, plan.config.spare_channel, plan.config.connect_timeout};
}

void machine_supervisor_state::attempt_failed(const setback& reason) {
  const auto* const failed = link.get<attempt>();
  // What failed with outdated credentials may succeed with the new ones.
  const bool may_pass = reason.retriable() || (failed != nullptr && failed->is_outdated);
  const bool said_password_in_vain = !may_pass && failed != nullptr && failed->connection
                                     && failed->connection->has_password_in_doubt();
  retries.attempt_failed();
  tell(pool_event_kind::connect_failed, &reason);
  link.drop();
  visitors.attempt_failed(as_jump(reason));
  if (runner.attempt_failed(reason, may_pass) || !may_pass) {
    if (said_password_in_vain)
      retries.password_refused(reason, now());
    else
      retries.round_failed(reason, now());
    if (const auto left_alone = retries.objection(now()))
      runner.refuse_waiting(*left_alone);
  }
  if (any_waits())
    link.wait_until(now() + retries.delay());
  else
    retries.start_afresh();
}

// -- the connection is used, and ends ------------------------------------------------------------

void machine_supervisor_state::exec_sent(ssh::exec_id id) {
  established& on = *link.get<established>();
  on.channels.exec_sent();
  retries.start_afresh();
  runner.exec_sent(on, id);
}

void machine_supervisor_state::channel_refused(ssh::exec_id id, std::uint32_t reason) {
  established& on = *link.get<established>();
  on.hunting.refused(id);
  if (on.channels.refused(id, now()))
    runner.channel_refused(id);
  else if (visitors.any_on_connection())
    // The connection is sound: a jump may be allowed to forward only (sshd's MaxSessions 0).
    runner.refuse_channel(id, "the server opens no session channel (reason "
                                + std::to_string(reason) + ')');
  else
    lost(dropped("the server refused a session channel (reason " + std::to_string(reason)
                 + ") though none was open"));
}

void machine_supervisor_state::lost(const setback& reason) {
  auto* const on = link.get<established>();
  if (on == nullptr)
    return attempt_failed(reason);
  tell(pool_event_kind::connection_lost, &reason);
  const bool asked_for_second
    = on->connection->is_opening_channel() && on->channels.slots().open() > 1;
  if (asked_for_second && reason.fault == connection_fault::dropped)
    one_at_a_time.ended_at_second(now());
  // A connection that never carried a command is no better than one that was never made.
  const bool is_proven = on->channels.commands_sent() > 0 || runner.commands().empty();
  runner.interrupt(*on, reason, is_proven);
  visitors.connection_lost(as_jump(reason));
  if (!is_proven)
    return attempt_failed(reason);
  link.drop();
  retries.start_afresh();
}

void machine_supervisor_state::close_connection() {
  if (link.is<established>())
    tell(pool_event_kind::connection_closed);
  link.drop();
}

void machine_supervisor_state::make_room() {
  if (is_unused())
    expire();
}

void machine_supervisor_state::credentials_changed() {
  retries.credentials_changed();
  if (auto* const there = link.get<established>()) {
    there->is_outdated = true;
  } else if (auto* const x = link.get<attempt>(); x != nullptr && x->is_restart) {
    // Once more would be for ever if they change more often than a connect takes.
    x->is_outdated = true;
  } else if (x != nullptr) {
    link.drop();
    if (any_waits())
      connect().is_restart = true;
  }
}

void machine_supervisor_state::expire() {
  idle_until.reset();
  close_connection();
  retries.start_afresh();
  tell_registry(expired_atom::value, asked, is_jump, received);
}

template <class... Values>
void machine_supervisor_state::tell_registry(const Values&... values) {
  if (const auto strong_registry = registry.lock())
    self->send(caf::actor_cast<registry_actor>(strong_registry), values...);
}

// -- the supervisor ends -------------------------------------------------------------------------

void machine_supervisor_state::registry_ended(const caf::error& reason) {
  // Nobody holds the executor any more, but what it was asked to do is still waited for.
  if (reason == caf::exit_reason::unreachable)
    life = std::max(life, life_stage::leaving);
  else
    shut_down();
}

void machine_supervisor_state::shut_down() {
  if (life == life_stage::closing)
    return drained();
  life = life_stage::closing;
  runner.stop_attempts(shutting_down);
  visitors.shut_down(shutting_down);
  if (plan.config.drain_timeout.count() > 0)
    set_timer(timer::drain, now() + plan.config.drain_timeout);
  else
    drained();
}

void machine_supervisor_state::drained() {
  runner.end_all(shutting_down);
  // Guests end their commands through this connection, each within its own bounds.
  if (!visitors.empty())
    set_timer(timer::guests, now() + 2 * plan.config.kill_grace + plan.config.connect_timeout);
}

void machine_supervisor_state::leave() {
  close_connection();
  // Those who live longer would keep what is left of this actor in memory.
  self->demonitor(caf::actor_cast<caf::actor_addr>(registry));
  for (const caf::actor_addr& whom : watched)
    self->demonitor(whom);
  self->quit();
}

// -- others are told -----------------------------------------------------------------------------

void machine_supervisor_state::tell(pool_event_kind kind, const setback* reason) {
  runner.activity().tell(kind, now() - link.since(), retries.failures(), reason);
}

machine_status machine_supervisor_state::status() {
  using stage = execution::stage;
  const command_ledger& commands = runner.commands();
  machine_status result = runner.activity().status();
  result.state = link.state();
  const auto waiting = commands.in(stage::waiting).size() + commands.in(stage::delayed).size();
  result.waiting = static_cast<std::uint32_t>(waiting);
  result.running = static_cast<std::uint32_t>(commands.size() - waiting);
  if (const auto* const on = link.get<established>()) {
    result.open_channels = on->channels.slots().open();
    result.channel_limit = on->channels.slots().limit();
    result.connected_since = on->connected_at;
  }
  return result;
}

// -- plumbing ------------------------------------------------------------------------------------

void machine_supervisor_state::advance() {
  ssh::connection* const connection = link.connection();
  if (connection == nullptr)
    return;
  const auto number = link.number();
  auto events = connection->advance();
  if (auto* const on = link.get<established>())
    on->peer.heard(connection->bytes_received(), now());
  for (ssh::connection_event& event : events) {
    // An event may end the connection that it came from.
    if (number != link.number())
      return;
    react(event);
  }
}

void machine_supervisor_state::react(ssh::connection_event& event) {
  namespace ev = ssh::event;
  auto* const on = link.get<established>();
  std::visit(
    overloaded{
      [this](ev::transport_connected e) { transport_connected(e); },
      [this](ev::host_key_presented& e) { host_key_presented(e.key); },
      [this](ev::authenticated) { connected(); },
      [this](ev::exec_sent e) { exec_sent(e.id); },
      [this, on](ev::output& e) { runner.output(*on, e); },
      [this](ev::output_overrun e) { runner.output_overrun(e.id); },
      [this](ev::input_wanted e) { runner.input_wanted(e.id); },
      [on](ev::spare_ended e) { on->channels.spare_ended(e.refused); },
      [this, on](ev::tracked e) { runner.process_group_told(*on, e); },
      [this](ev::channel_refused e) { channel_refused(e.id, e.reason); },
      [this, on](ev::exec_refused& e) { runner.exec_refused(*on, e.id, std::move(e.reason)); },
      [this, on](ev::exec_ended& e) { runner.exec_ended(*on, e.id, std::move(e.outcome)); },
      [on](ev::channel_closed e) { on->channels.closed(e.id); },
      [this](ev::forwarded& e) {
        e.stream->carrier = name_as_jump();
        visitors.opened(e.id, std::move(e.stream));
      },
      [this](ev::forward_refused& e) { visitors.refused(e.id, as_jump(to_setback(e.reason))); },
      [this](ev::forward_closed e) { visitors.closed(e.id); },
      [this](ev::lost& e) { lost(to_setback(e.reason)); },
    },
    event);
}

void machine_supervisor_state::drive() {
  will_drive = false;
  bool has_more = true;
  for (int round = 0; has_more && round < max_rounds; ++round) {
    link.take_asked();
    advance();
    pursue();
    has_more = link.take_asked();
  }
  // Behind all that is there, by way of the clock: an actor that sends to itself is never done.
  if (has_more && !std::exchange(will_drive, true))
    self->delayed_send(self, duration{0}, drive_atom::value);
  settle();
}

void machine_supervisor_state::drive_soon() {
  if (!std::exchange(will_drive, true))
    self->send(self, drive_atom::value);
}

void machine_supervisor_state::settle() {
  if (life != life_stage::serving && is_unused())
    return leave();
  if (auto* const connection = link.connection())
    connection->flush();
  if (!is_unused())
    idle_until.reset();
  else if (!idle_until)
    idle_until = now() + plan.config.idle_timeout;
  set_timer(timer::link, link.deadline());
  set_timer(timer::commands, runner.deadline());
  set_timer(timer::idle, idle_until);
  if (const auto when = timers.tick_to_send())
    ticks.send_after(*when - now());
}

void machine_supervisor_state::ready(std::uint64_t number) {
  if (number == link.number())
    drive();
}

void machine_supervisor_state::tick() {
  timers.tick_arrived(now());
  while (const auto due = timers.take_due(now())) {
    // The link and the commands are looked at anyway.
    if (*due == timer::idle && is_unused())
      expire();
    else if (*due == timer::drain)
      drained();
    else if (*due == timer::guests)
      visitors.forget_open();
  }
  drive();
}

void machine_supervisor_state::set_timer(timer what, const std::optional<time_point>& when) {
  if (when)
    timers.set(what, *when);
  else
    timers.cancel(what);
}

supervisor_actor::behavior_type
machine_supervisor(supervisor_actor::stateful_pointer<machine_supervisor_state> self,
                   machine target, bool is_jump, settings config, supervisor_services services,
                   const registry_actor& registry) {
  auto& state = self->state;
  state.asked = target;
  state.is_jump = is_jump;
  state.connect_timeout = config.connect_timeout;
  state.plan = make_plan(std::move(target), std::move(config));
  state.services = std::move(services);
  state.registry = caf::actor_cast<caf::weak_actor_ptr>(registry);
  state.retries = retry_plan{state.plan.config};
  state.ticks = ticker{state.services.ticks, caf::actor_cast<caf::actor>(self)};
  state.runner = command_runner{{self, &state.asked, &state.plan.target, &state.plan.config,
                                 &state.plan.environment, &state.services.journal, &state.retries,
                                 &state.link, [&state] { state.drive(); }}};
  self->monitor(registry);
  self->set_exit_handler([self](const caf::exit_msg&) {
    self->state.shut_down();
    self->state.drive();
  });
  self->set_down_handler([self](const caf::down_msg& message) {
    auto& state = self->state;
    state.watched.erase(message.source);
    state.runner.consumer_ended(message.source);
    if (message.source == state.registry)
      state.registry_ended(message.reason);
    else
      state.runner.caller_ended(message.source);
    state.drive();
  });
  return {
    [self](execute_atom, const machine&, command& what) { return self->state.execute(what); },
    [self](cancel_atom, const machine&, const std::string& id) { self->state.cancel(id); },
    [self](cancel_atom, const cancel_order& order) { return self->state.cancel(order); },
    [self](input_atom, const machine&, const std::string& id, std::string& data, bool end) {
      return self->state.input(id, data, end);
    },
    [self](forward_atom, tunnel_request& what) { return self->state.forward(what); },
    [self](changed_atom) {
      self->state.credentials_changed();
      self->state.drive();
    },
    [self](status_atom) -> caf::result<machine_status, latency_distribution> {
      return {self->state.status(), self->state.runner.activity().latency()};
    },
    [self](make_room_atom) {
      self->state.make_room();
      self->state.drive();
    },
    [self](observers_atom, observer_list& observers) {
      self->state.runner.activity().observe(std::move(observers));
    },
    [self](ready_atom, std::uint64_t number) { self->state.ready(number); },
    [self](drive_atom) { self->state.drive(); },
    [self](tick_atom) { self->state.tick(); },
  };
}

} // namespace sshexec
