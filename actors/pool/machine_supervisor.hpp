#pragma once

#include "sshexec/actors/pool/command_ledger.hpp"
#include "sshexec/actors/pool/execution.hpp"
#include "sshexec/actors/pool/machine_activity.hpp"
#include "sshexec/actors/pool/machine_link.hpp"
#include "sshexec/actors/pool/observers.hpp"
#include "sshexec/actors/pool/retry_plan.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/runtime/timer_queue.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/connection.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
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

/// Owns the connection of one machine and runs the machine's commands over it. It only wires: the
/// state of the connection is `link`'s, the commands are in the ledger, and each rule is a value of
/// its own. After every message the rules are asked once (`pursue`).
struct machine_supervisor_state {
  using stage = execution::stage;
  using phase = execution::phase;
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

  /// What a deadline is for; those of single commands are told apart by their id.
  enum class timer : std::uint8_t {
    /// The link, its channels or its peer are to be looked at.
    look,
    /// No command came for the idle timeout.
    idle,
    drain,
    deadline,
    open_channel,
    run,
    end,
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

  /// Does what has to be done now: ends what took too long, connects, hands out channels.
  void pursue();
  void look_at_attempt();
  void look_at_peer();
  void look_at_channels();
  [[nodiscard]] bool must_renew(const established& x) const;
  [[nodiscard]] channel_pool::demand demand(const established& x) const;

  // -- a connection comes about --------------------------------------------------------------

  attempt& connect();
  void join_attempt(ssh::exec_id id);
  /// Asks a service something for the present attempt, which fails with the service; an answer that
  /// comes later than the attempt's end is ignored.
  template <class Answer, class Service, class Handler, class... Arguments>
  void ask(const Service& service, Handler on_answer, const Arguments&... arguments);
  template <class Step>
  void proceed(std::uint64_t number, Step step);
  /// Asks for a turn at the target's address once all services have answered.
  void queue_when_prepared(attempt& x);
  void dial(attempt& x);
  void transport_connected();
  void host_key_presented(const ssh::host_key& key);
  void trust_host_key(attempt& x);
  void connected();
  void attempt_failed(const setback& reason);

  // -- a command runs ------------------------------------------------------------------------

  void start(established& on, ssh::exec_id id);
  void start_hunt(established& on);
  void open_spare(established& on);
  /// Tells whether that is the spare channel.
  bool start_on_channel(established& on, ssh::exec_id id, ssh::exec_request request);
  void exec_sent(ssh::exec_id id);
  void process_group_told(const ssh::event::tracked& e);
  void channel_refused(ssh::exec_id id, std::uint32_t reason);
  void exec_refused(ssh::exec_id id, std::string reason);
  void exec_ended(ssh::exec_id id, ssh::exec_outcome outcome);
  /// Gives the command's or the hunt's channel up and returns what it brought.
  ssh::exec_outcome abandon(ssh::exec_id id);
  void leave_channel(ssh::exec_id id, stage next);
  /// Its attempt failed, and another one follows.
  void end_attempt(ssh::exec_id id, const setback& reason, stage next);
  void retry_or_fail(ssh::exec_id id, const setback& reason, command_output output);
  [[nodiscard]] std::uint32_t allowed_attempts(const execution& x) const;

  // -- input and output as they come ---------------------------------------------------------

  caf::result<void> input(const std::string& command_id, std::string& data, bool end);
  void send_early_input(ssh::exec_id id);
  void input_wanted(ssh::exec_id id);
  void dismiss_feeders(execution& x);
  void output(ssh::event::output& e);
  void output_taken(ssh::exec_id id, std::uint64_t bytes, std::uint64_t number);
  void grant(ssh::exec_id id, std::uint64_t bytes);
  void output_overrun(ssh::exec_id id);

  // -- a command is ended --------------------------------------------------------------------

  void time_is_up(ssh::exec_id id);
  void deadline_passed(ssh::exec_id id);
  void cancel(const std::string& command_id);
  void caller_ended(const caf::actor_addr& caller);
  void end_command(ssh::exec_id id, const setback& reason);
  void begin_end(ssh::exec_id id, const setback& reason);
  void act_on_end(ssh::exec_id id, command_end::step what);
  void hunt(ssh::exec_id victim);
  void hunt_ended(ssh::exec_id victim, std::optional<ssh::kill_report> report);
  void conclude(ssh::exec_id id, ssh::exec_outcome outcome);

  // -- the connection ends -------------------------------------------------------------------

  void lost(const setback& reason);
  void interrupted(ssh::exec_id id, const setback& reason);
  /// Whether a command was given to a pooled connection that has not been heard of since.
  [[nodiscard]] bool met_a_dead_connection(const execution& x) const;
  void drop_link();
  /// Closes the connection, which no command uses.
  void renew();
  void credentials_changed();
  void expire();

  // -- the supervisor ends -------------------------------------------------------------------

  void registry_ended(const caf::error& reason);
  void shut_down();
  void drained();
  void leave();

  // -- a request is answered -----------------------------------------------------------------

  void succeed(ssh::exec_id id, ssh::exec_outcome outcome);
  void fail(ssh::exec_id id, error_code code, failure what);
  void refuse(ssh::exec_id id, const setback& reason);
  void finish(ssh::exec_id id);
  [[nodiscard]] failure describe(const execution& x, const setback& reason) const;

  // -- others are told -----------------------------------------------------------------------

  void tell(pool_event_kind kind, const setback* reason = nullptr) const;
  [[nodiscard]] machine_status status() const;

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
  void on_deadline(const timer_key& key);
  void set_timer(timer what, duration delay, ssh::exec_id id = 0);
  void cancel_timers(ssh::exec_id id);

  [[nodiscard]] time_point now() const { return self->clock().now(); }

  supervisor_actor::pointer self;
  machine target;
  settings config;
  supervisor_services services;
  caf::weak_actor_ptr registry;

  life_stage life = life_stage::serving;
  /// The callers and consumers whose end will be told.
  std::set<caf::actor_addr> watched;
  std::uint64_t received = 0;
  /// Commands and hunts are numbered in one row.
  ssh::exec_id last_id = 0;

  command_ledger commands;
  machine_link link;
  retry_plan retries;
  machine_activity activity;
  timer_queue<timer_key> timers;

  /// The user name that the present credentials ask for, if they do.
  std::string login_name;
  /// A call on the connection since it was last advanced.
  bool must_drive = false;
  /// Whether the message that drives is on its way.
  bool will_drive = false;
};

/// The supervisor of one machine. It reports to `registry`, which decides about its end.
supervisor_actor::behavior_type
machine_supervisor(supervisor_actor::stateful_pointer<machine_supervisor_state> self,
                   machine target, settings config, supervisor_services services,
                   const registry_actor& registry);

} // namespace sshexec
