#pragma once

#include "sshexec/actors/pool/command_runner.hpp"
#include "sshexec/actors/pool/guests.hpp"
#include "sshexec/actors/pool/machine_link.hpp"
#include "sshexec/actors/pool/retry_plan.hpp"
#include "sshexec/actors/pool/single_channel.hpp"
#include "sshexec/actors/pool/supervisor_actor.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/ticker.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/runtime/timer_queue.hpp"
#include "sshexec/actors/services/connection_plan.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/connection.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace sshexec {

/// What a supervisor works with.
struct supervisor_services {
  resolver_actor resolver;
  key_ring_actor keys;
  host_key_store host_keys;
  /// For machines whose plan names known_hosts files; null: these files do not count.
  host_key_files_actor host_key_files;
  /// Null: there is no more to be said of machines.
  connection_planner_actor planner;
  /// For those that a plan names.
  program_starter_actor programs;
  cipher_check_actor ciphers;
  connect_gate_actor gate;
  journal_actor journal;
  ssh::connection_factory connect;
  tick_relay ticks;
};

/// Owns the connection of one machine and lends it to the machine's commands. It only wires: the
/// state of the connection is the link's, commands are the runner's, and each rule is a value of
/// its own. They are asked behind each message that may have changed something (`pursue`): in
/// `drive`, and when a command arrives, so that a burst of them gets its channels before more count
/// as waiting.
struct machine_supervisor_state {
  using attempt = machine_link::attempt;
  using established = machine_link::established;

  static inline const char* name = "sshexec.machine_supervisor";

  enum class life_stage : std::uint8_t {
    serving,
    /// Nobody can send commands any more; it ends with its last one.
    leaving,
    /// Refuses new commands and repeats none.
    closing,
  };

  /// Whose deadline it is.
  enum class timer : std::uint8_t { link, commands, idle, drain, guests };

  explicit machine_supervisor_state(supervisor_actor::pointer self_ptr) : self(self_ptr) {}

  // -- a command arrives ---------------------------------------------------------------------

  caf::typed_response_promise<command_result> execute(command& what);
  /// Why a command cannot even wait, if so.
  [[nodiscard]] std::optional<setback> objection() const;
  /// What those are told who wanted to go through this machine.
  [[nodiscard]] setback as_jump(const setback& reason) const;
  [[nodiscard]] std::string name_as_jump() const;
  void watch(const caf::actor_addr& whom);
  void cancel(const std::string& command_id);
  std::uint64_t cancel(const cancel_order& order);
  caf::result<void> input(const std::string& command_id, std::string& data, bool end);
  /// Somebody wants to reach another machine through this one.
  caf::typed_response_promise<tunnel> forward(tunnel_request& what);

  // -- what has to be done now ---------------------------------------------------------------

  /// Ends what took too long, connects, hands out channels.
  void pursue();
  void look_at_commands();
  void look_at_attempt();
  [[nodiscard]] setback out_of_time(const attempt& x) const;
  void look_at_peer();
  void look_at_channels();
  void look_at_guests();

  /// Whether somebody needs a connection.
  [[nodiscard]] bool any_waits() const { return runner.any_waits() || visitors.any_waits(); }

  [[nodiscard]] bool is_unused() const { return runner.commands().empty() && visitors.empty(); }

  [[nodiscard]] bool must_renew(const established& x) const;
  [[nodiscard]] channel_pool::demand demand(const established& x) const;

  // -- a connection comes about --------------------------------------------------------------

  attempt& connect();
  void look_up_plan(attempt& x);
  void follow(attempt& x, connection_plan made);
  void prepare(attempt& x);
  void look_up_address(attempt& x);
  void look_up_host_key(attempt& x);
  void take_addresses(attempt& x, std::vector<ssh::address> addresses);

  /// Whether it is reached by a stream that somebody carries.
  [[nodiscard]] bool is_carried() const { return !plan.target.via.empty() || plan.proxy_command; }
  /// Asks a service something for the present attempt, which fails with the service; an answer that
  /// comes later than the attempt's end is ignored.
  template <class Answer, class Service, class Handler, class... Arguments>
  void ask(const Service& service, Handler on_answer, const Arguments&... arguments);
  template <class Step>
  void proceed(std::uint64_t number, Step step);
  /// Asks for a turn at the target's address once all services have answered.
  void queue_when_prepared(attempt& x);
  [[nodiscard]] std::string name_at_gate(const attempt& x) const;
  void turn_came(attempt& x);
  /// Asks the jump for a stream to the machine.
  void go_through_jump(attempt& x);
  void go_through_program(attempt& x);
  void dial(attempt& x);
  [[nodiscard]] ssh::connection_settings connection_settings(attempt& x) const;
  /// Why this attempt is not to give the machine a password, if so.
  [[nodiscard]] std::optional<std::string> objection_to_password() const;
  void transport_connected(const ssh::event::transport_connected& e);
  void host_key_presented(const ssh::host_key& key);
  void remember(const ssh::host_key& key);
  void trust_host_key(attempt& x);
  void connected();
  [[nodiscard]] channel_pool::rules channel_rules() const;
  void attempt_failed(const setback& reason);

  // -- the connection is used, and ends ------------------------------------------------------

  void exec_sent(ssh::exec_id id);
  void channel_refused(ssh::exec_id id, std::uint32_t reason);
  /// Of an attempt or a connection, whichever there is.
  void lost(const setback& reason);
  /// Closes the connection, which no command uses.
  void close_connection();
  void make_room();
  void credentials_changed();
  void expire();
  /// Nothing if the registry has ended.
  template <class... Values>
  void tell_registry(const Values&... values);

  // -- the supervisor ends -------------------------------------------------------------------

  void registry_ended(const caf::error& reason);
  void shut_down();
  void drained();
  void leave();

  // -- others are told -----------------------------------------------------------------------

  void tell(pool_event_kind kind, const setback* reason = nullptr);
  [[nodiscard]] machine_status status();

  // -- plumbing ------------------------------------------------------------------------------

  /// Lets the connection do what it can, and reacts to what happened.
  void advance();
  void react(ssh::connection_event& event);
  /// Advances and pursues until nothing more comes of it, and settles. Every handler ends with it,
  /// or puts it off.
  void drive();
  /// Drives when the messages that have arrived are handled.
  void drive_soon();
  /// Sends what was said, sets the next tick, and ends the supervisor if it is time.
  void settle();
  void ready(std::uint64_t number);
  void tick();
  void set_timer(timer what, const std::optional<time_point>& when);

  [[nodiscard]] time_point now() const { return self->clock().now(); }

  supervisor_actor::pointer self;
  /// As it was asked for, by which the registry knows it.
  machine asked;
  bool is_jump = false;
  /// The executor's own: until more is known.
  duration connect_timeout{0};
  /// How it is reached, as far as is known.
  connection_plan plan;
  supervisor_services services;
  caf::weak_actor_ptr registry;

  life_stage life = life_stage::serving;
  /// The callers and consumers whose end will be told.
  std::set<caf::actor_addr> watched;
  std::uint64_t received = 0;

  machine_link link;
  retry_plan retries;
  single_channel one_at_a_time;
  command_runner runner;
  guests visitors;
  timer_queue<timer> timers;
  ticker ticks;
  /// When the machine is retired, while it has no commands.
  std::optional<time_point> idle_until;
  /// Whether the message that drives is on its way.
  bool will_drive = false;
};

/// The supervisor of one machine, which is there as a jump for others, or for commands of its own.
/// It reports to `registry`, which decides about its end.
supervisor_actor::behavior_type
machine_supervisor(supervisor_actor::stateful_pointer<machine_supervisor_state> self,
                   machine target, bool is_jump, settings config, supervisor_services services,
                   const registry_actor& registry);

} // namespace sshexec
