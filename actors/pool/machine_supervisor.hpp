#pragma once

#include "sshexec/actors/pool/breaker.hpp"
#include "sshexec/actors/pool/channel_slots.hpp"
#include "sshexec/actors/pool/execution.hpp"
#include "sshexec/actors/pool/machine_activity.hpp"
#include "sshexec/actors/pool/observers.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/timer_queue.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/connection.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sshexec {

using ready_atom = caf::atom_constant<caf::atom("ready")>;
using drive_atom = caf::atom_constant<caf::atom("drive")>;
using expired_atom = caf::atom_constant<caf::atom("expired")>;
using observers_atom = caf::atom_constant<caf::atom("observers")>;

using supervisor_actor = caf::typed_actor<
  /// As of the executor.
  caf::replies_to<execute_atom, machine, command>::with<command_result>,
  caf::reacts_to<cancel_atom, machine, std::string>,
  caf::reacts_to<input_atom, machine, std::string, std::string, bool>,
  caf::replies_to<status_atom>::with<machine_status>,
  /// The machine's credentials changed.
  caf::reacts_to<changed_atom>,
  /// From now on these are told what happens.
  caf::reacts_to<observers_atom, observer_list>,
  /// The socket of the connection with this number can be read or written.
  caf::reacts_to<ready_atom, std::uint64_t>,
  /// To itself: all commands that had arrived have been handled.
  caf::reacts_to<drive_atom>,
  /// A deadline may have passed.
  caf::reacts_to<tick_atom>>;

using registry_actor = executor_actor::extend<
  /// A machine's supervisor, having received so many commands, has been idle for the idle timeout
  /// and has closed its connection.
  caf::reacts_to<expired_atom, machine, std::uint64_t>>;

/// What a supervisor works with.
struct supervisor_services {
  resolver_actor resolver;
  key_ring_actor keys;
  host_key_store host_keys;
  connect_gate_actor gate;
  journal_actor journal;
  ssh::connection_factory connect;
};

/// Owns the connection of one machine and runs the machine's commands over it.
struct machine_supervisor_state {
  using time_point = caf::actor_clock::time_point;
  using stage = execution::stage;
  using phase = execution::phase;

  static inline const char* name = "sshexec.machine_supervisor";

  enum class link_state : std::uint8_t {
    /// No connection, and none wanted.
    disconnected,
    /// One attempt to connect is under way, for all commands that wait.
    connecting,
    /// The last attempt failed; the next one begins when the delay is over.
    backing_off,
    /// Commands can run.
    connected,
  };

  enum class life_stage : std::uint8_t {
    serving,
    /// Nobody can send commands any more; it ends with its last one.
    leaving,
    /// Refuses new commands and repeats none.
    closing,
  };

  /// What a deadline is for; those of single commands are told apart by their id.
  enum class timer : std::uint8_t {
    connect,
    next_address,
    reconnect,
    keepalive,
    after_refusal,
    idle,
    stuck_channels,
    drain,
    deadline,
    open_channel,
    run,
    kill,
    give_up,
    retry,
  };
  using timer_key = std::pair<timer, ssh::exec_id>;

  explicit machine_supervisor_state(supervisor_actor::pointer self_ptr) : self(self_ptr) {}

  // -- a command arrives ---------------------------------------------------------------------

  caf::typed_response_promise<command_result> execute(command& what);
  /// Why a command cannot even wait, if so.
  [[nodiscard]] std::optional<setback> objection() const;
  void watch(const caf::actor_addr& whom);
  void enqueue(ssh::exec_id id);
  void proceed();
  void join_attempt(ssh::exec_id id);

  // -- a connection comes about (machine_supervisor_connection.cpp) ----------------------------

  void connect();
  /// Asks for a turn at the target's address once all services have answered.
  void queue_when_complete();
  void leave_gate();
  void dial();
  void try_next_address();
  void check_host_key(const ssh::host_key& key);
  void remember_host_key(const ssh::host_key& key);
  void trust_host_key();
  void connected();
  void attempt_failed(const setback& reason);
  void round_failed(const setback& reason);
  void back_off();

  // -- a command runs (machine_supervisor_commands.cpp) ----------------------------------------

  void start_waiting();
  /// Whether a channel is free for one more command.
  [[nodiscard]] bool may_start() const;
  void start(ssh::exec_id id);
  /// Tells whether that is the spare channel.
  bool start_on_channel(ssh::exec_id id, ssh::exec_request request);
  void open_spare();
  void spare_ended(const ssh::event::spare_ended& e);
  void exec_sent(ssh::exec_id id);
  void process_group_told(const ssh::event::tracked& e);
  void channel_refused(ssh::exec_id id, std::uint32_t reason);
  void exec_refused(ssh::exec_id id, std::string reason);
  void exec_ended(ssh::exec_id id, ssh::exec_outcome outcome);
  void channel_closed();
  void leave_channel(ssh::exec_id id);
  /// For a channel, in the attempt that is under way.
  void wait_again(ssh::exec_id id);
  /// Its attempt failed, and another one follows.
  void end_attempt(ssh::exec_id id, const setback& reason);
  void retry_or_fail(ssh::exec_id id, const setback& reason, command_output output);

  // -- input and output as they come ---------------------------------------------------------

  caf::result<void> input(const std::string& command_id, std::string& data, bool end);
  void send_early_input(ssh::exec_id id);
  void input_wanted(ssh::exec_id id);
  void dismiss_feeders(execution& x);
  void output(ssh::event::output& e);
  void output_taken(ssh::exec_id id, std::uint64_t bytes, std::uint64_t number);
  void consumer_ended(const caf::actor_addr& consumer);

  // -- a command is ended --------------------------------------------------------------------

  void time_is_up(ssh::exec_id id);
  void deadline_passed(ssh::exec_id id);
  void cancel(const std::string& command_id);
  void caller_ended(const caf::actor_addr& caller);
  void end_commands(const setback& reason, const std::function<bool(const execution&)>& is_meant);
  void end_command(ssh::exec_id id, const setback& reason);
  void kill_command(ssh::exec_id id);
  void hunt(ssh::exec_id victim);
  void start_hunts();
  /// Whether the event concerned a hunt.
  bool hunt_ended(ssh::exec_id hunter, const ssh::exec_outcome& outcome);
  void hunt_reported(ssh::exec_id victim, std::optional<ssh::kill_report> report);
  void give_up_command(ssh::exec_id id);
  void ended(ssh::exec_id id, ssh::exec_outcome& outcome);

  // -- the connection ends (machine_supervisor_connection.cpp) ----------------------------------

  void lost(const setback& reason);
  /// Whether a command was given to a pooled connection that has not been heard of since.
  [[nodiscard]] bool met_a_dead_connection(const execution& x) const;
  void drop_connection();
  /// Notes whether the server said something since the last time.
  void listen();
  void check_liveness();
  void expire();
  [[nodiscard]] bool is_too_old() const;
  /// Replaces the connection, which no command uses.
  void renew();
  void credentials_changed();
  /// Whether a command is on the connection.
  [[nodiscard]] bool in_use() const;

  // -- the supervisor ends -------------------------------------------------------------------

  void registry_ended(const caf::error& reason);
  void shut_down();
  void drained();
  void leave();

  // -- a request is answered -----------------------------------------------------------------

  void succeed(ssh::exec_id id, ssh::exec_outcome outcome);
  void fail(ssh::exec_id id, error_code code, failure what);
  void refuse(ssh::exec_id id, const setback& reason);
  void fail_waiting(const setback& reason);
  void finish(ssh::exec_id id);
  execution_record record_of(const execution& x) const;

  // -- others are told (machine_supervisor_reports.cpp) ----------------------------------------

  /// Tells the observers of the connection, and of a command.
  void notify(pool_event_kind kind, error_code outcome = error_code::none,
              const std::string& detail = {}) const;
  void notify(pool_event_kind kind, const execution& about, error_code outcome = error_code::none,
              const std::string& detail = {}) const;
  [[nodiscard]] machine_status status() const;

  // -- plumbing ------------------------------------------------------------------------------

  /// Asks a service something for the present attempt to connect, which fails with the service;
  /// an answer that comes later than the attempt's end is ignored.
  template <class Answer, class Service, class Handler, class... Arguments>
  void ask(const Service& service, Handler on_answer, const Arguments&... arguments);
  /// Goes on with an answer if the attempt with this number still lasts.
  template <class Step>
  void proceed(std::uint64_t number, Step step);
  void service_failed(std::uint64_t number, const caf::error& reason);

  /// Lets the connection do what it can and reacts to what happened, until nothing does.
  void advance();
  /// Sends what was said, sets the next tick, and ends the supervisor if it is time.
  void settle();
  /// Both. Every handler ends with it, or puts it off.
  void drive();
  /// Drives when the commands that have arrived are handled: what they ask for leaves together.
  void drive_soon();
  void react(ssh::connection_event& event);
  void ready(std::uint64_t number);
  void tick();
  void on_deadline(const timer_key& key);
  void send_tick();
  void set_timer(timer what, caf::timespan delay, ssh::exec_id id = 0);
  void cancel_timers(ssh::exec_id id);

  [[nodiscard]] time_point now() const { return self->clock().now(); }

  [[nodiscard]] std::uint32_t allowed_attempts(const execution& x) const;
  [[nodiscard]] caf::timespan delay_after(std::uint32_t failed) const;
  [[nodiscard]] failure describe(const execution& x, const setback& reason) const;

  /// What a new connection is made of, as far as the services have answered.
  struct preparation {
    std::optional<ssh::login> login;
    std::optional<ssh::known_keys> known;
    std::optional<std::vector<ssh::address>> addresses;
    /// Of the connect timeout, when the attempt's turn comes.
    caf::timespan time_left{0};
  };

  supervisor_actor::pointer self;
  machine target;
  settings config;
  supervisor_services services;
  caf::weak_actor_ptr registry;

  life_stage life = life_stage::serving;
  /// The callers and consumers whose end will be told.
  std::set<caf::actor_addr> watched;
  std::uint64_t received = 0;
  ssh::exec_id last_id = 0;
  std::map<ssh::exec_id, execution> executions;
  /// Those that can go on as soon as there is a connection with a free channel, oldest first.
  std::set<ssh::exec_id> waiting;
  /// Tracked commands that have a channel: one more is kept free to kill them by.
  std::set<ssh::exec_id> tracked;
  /// Commands whose processes are to be hunted for as soon as a channel is free.
  std::deque<ssh::exec_id> prey;
  /// The channels of hunts, and whom they are after.
  std::map<ssh::exec_id, ssh::exec_id> hunts;

  link_state link = link_state::disconnected;
  /// Counts attempts to connect, so that answers meant for an earlier one are told apart.
  std::uint64_t connection_number = 0;
  preparation prepared;
  const char* connect_step = "";
  /// Whether the present attempt has a place at the gate, or waits for one.
  bool at_gate = false;
  std::unique_ptr<ssh::connection> connection;
  /// A call on the connection since it was last driven.
  bool must_drive = false;
  /// Whether the message that drives is on its way.
  bool will_drive = false;
  /// Failed attempts to connect since the last one that succeeded.
  std::uint32_t failures = 0;
  breaker circuit;
  /// Why the last round of attempts failed.
  setback last_setback;

  channel_slots slots;
  /// Whether one of the channels is open, or being opened, ahead of the next command.
  bool has_spare = false;
  /// Whether a command was sent since the last spare channel was opened: there is one for each, so
  /// that a server that refuses it is not asked again and again.
  bool spare_is_due = false;
  /// The connection was made with credentials that have changed since.
  bool outdated = false;
  /// Refusals while no channel was open, in a row.
  int lone_refusals = 0;
  /// Looks at the connection since it was last heard of.
  int silent_checks = 0;
  /// Commands that got as far as an exec request on this connection.
  std::uint64_t commands_sent = 0;
  time_point connected_since;
  std::uint64_t bytes_heard = 0;
  time_point last_heard;

  /// The user name that the present credentials ask for, if they do.
  std::string login_name;
  machine_activity activity;
  timer_queue<timer_key> timers;
};

/// The supervisor of one machine. It reports to `registry`, which decides about its end.
supervisor_actor::behavior_type
machine_supervisor(supervisor_actor::stateful_pointer<machine_supervisor_state> self,
                   machine target, settings config, supervisor_services services,
                   const registry_actor& registry);

} // namespace sshexec
