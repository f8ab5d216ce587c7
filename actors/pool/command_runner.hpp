#pragma once

#include "sshexec/actors/pool/command_ledger.hpp"
#include "sshexec/actors/pool/machine_activity.hpp"
#include "sshexec/actors/pool/machine_link.hpp"
#include "sshexec/actors/pool/retry_plan.hpp"
#include "sshexec/actors/pool/supervisor_actor.hpp"
#include "sshexec/actors/runtime/timer_queue.hpp"

#include <caf/result.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace sshexec {

/// Takes the commands of one machine from their arrival to their answer. It owns them, their
/// deadlines, and what is told of them. The connection is the supervisor's, which lends it where a
/// command needs it, and decides which one is next to get a channel.
class command_runner {
public:
  using established = machine_link::established;
  using stage = execution::stage;
  using phase = execution::phase;

  /// Whose commands these are, and who is there to help; all outlive the runner.
  struct surroundings {
    supervisor_actor::pointer self = nullptr;
    /// By which name they are asked about, and by which people know the machine.
    const machine* asked = nullptr;
    const machine* target = nullptr;
    const settings* config = nullptr;
    /// For commands that say nothing else of these variables.
    const std::map<std::string, std::string>* environment = nullptr;
    const journal_actor* journal = nullptr;
    const retry_plan* retries = nullptr;
    /// The link, for what happens to a command without the connection's doing.
    machine_link* link = nullptr;
    /// Lets the supervisor look at everything, behind an answer that came by itself.
    std::function<void()> drive;
  };

  command_runner() = default;
  explicit command_runner(surroundings around);

  // -- a command arrives ---------------------------------------------------------------------

  /// Takes a request, and answers it at once if there is an objection.
  void add(command& what, caf::actor_addr caller, reply<command_result> answer,
           const std::optional<setback>& objection);

  /// Commands that wait for a connection or a channel take part in an attempt to connect.
  void join_attempt();

  /// That attempt succeeded.
  void connected();

  /// That attempt failed. Gives up those that may make no other one, or all if it is final, and
  /// tells whether it gave any up.
  bool attempt_failed(const setback& reason, bool may_pass);

  /// Answers all that wait with this.
  void refuse_waiting(const setback& reason);

  // -- a command runs ------------------------------------------------------------------------

  /// The oldest that waits takes a channel.
  void start_next(established& on);
  void start_hunt(established& on);
  void exec_sent(established& on, ssh::exec_id id);
  void process_group_told(established& on, const ssh::event::tracked& e);
  /// It waits for another channel.
  void channel_refused(ssh::exec_id id);
  /// It gets none.
  void refuse_channel(ssh::exec_id id, std::string reason);
  void exec_refused(established& on, ssh::exec_id id, std::string reason);
  void exec_ended(established& on, ssh::exec_id id, ssh::exec_outcome outcome);
  /// The connection is lost. A command whose channel was being opened has lost nothing if the
  /// connection is proven.
  void interrupt(established& on, const setback& reason, bool is_proven);

  // -- input and output as they come ---------------------------------------------------------

  caf::result<void> input(const caf::actor_addr& caller, const std::string& command_id,
                          std::string& data, bool end);
  void input_wanted(ssh::exec_id id);
  void output(established& on, ssh::event::output& e);
  void output_overrun(ssh::exec_id id);

  void consumer_ended(const caf::actor_addr& consumer) { commands_.consumer_ended(consumer); }

  // -- a command is ended --------------------------------------------------------------------

  void cancel(const caf::actor_addr& caller, const std::string& command_id);
  /// Returns how many it cancelled.
  std::uint64_t cancel(const cancel_order& order);
  void caller_ended(const caf::actor_addr& caller);
  /// No attempt follows another any more, and what has not been sent is answered with this.
  void stop_attempts(const setback& reason);
  void end_all(const setback& reason);

  // -- time passes ---------------------------------------------------------------------------

  [[nodiscard]] std::optional<time_point> deadline() const { return timers_.earliest(); }

  /// Does what is due. Tells whether a channel was not opened in time, which is the connection's
  /// fault.
  [[nodiscard]] bool look_at_deadlines();

  // -- for others to know ----------------------------------------------------------------------

  [[nodiscard]] const command_ledger& commands() const { return commands_; }

  [[nodiscard]] bool any_waits() const { return !commands_.in(stage::waiting).empty(); }

  machine_activity& activity() { return activity_; }

  /// The user name that the present credentials ask for; empty: the machine's own.
  std::string login_name;

private:
  enum class timer : std::uint8_t { deadline, open_channel, run, end, retry };

  using timer_key = std::pair<ssh::exec_id, timer>;

  void enqueue(ssh::exec_id id);
  ssh::exec_outcome abandon(established& on, ssh::exec_id id);
  bool start_on_channel(established& on, ssh::exec_id id, ssh::exec_request request);
  void leave_channel(ssh::exec_id id, stage next);
  void end_attempt(ssh::exec_id id, const setback& reason, stage next);
  void retry_or_fail(ssh::exec_id id, const setback& reason, command_output output);
  void interrupt_running(established& on, ssh::exec_id id, const setback& reason);
  [[nodiscard]] bool met_a_dead_connection(const established& on, const execution& x) const;
  [[nodiscard]] std::uint32_t allowed_attempts(const execution& x) const;

  void send_early_input(established& on, ssh::exec_id id);
  void dismiss_feeders(execution& x) const;
  [[nodiscard]] output_chunk make_chunk(const execution& x, bool is_stderr) const;
  /// Gives a chunk to the command's consumer.
  void hand_on(ssh::exec_id id, execution& x, output_chunk chunk);
  /// Marks the end of both streams.
  void end_output(ssh::exec_id id, execution& x);
  void output_taken(ssh::exec_id id, std::uint64_t bytes, std::uint64_t number);

  void time_is_up(ssh::exec_id id);
  void deadline_passed(ssh::exec_id id);
  void end_command(ssh::exec_id id, const setback& reason);
  void begin_end(established& on, ssh::exec_id id, const setback& reason);
  void act_on_end(ssh::exec_id id, command_end::step what);
  void hunt(established& on, ssh::exec_id victim);
  void hunt_ended(ssh::exec_id victim, std::optional<ssh::kill_report> report);
  void conclude(ssh::exec_id id, ssh::exec_outcome outcome);

  void succeed(ssh::exec_id id, ssh::exec_outcome outcome);
  void fail(ssh::exec_id id, error_code code, failure what);
  void refuse(ssh::exec_id id, const setback& reason);
  void finish(ssh::exec_id id);
  [[nodiscard]] failure describe(const execution& x, const setback& reason) const;

  void set_timer(timer what, duration delay, ssh::exec_id id);
  void cancel_timers(ssh::exec_id id);

  /// Of a command that is being opened, runs or is being ended: it has a channel, so there is a
  /// connection.
  [[nodiscard]] established& connection() const { return *around_.link->get<established>(); }

  [[nodiscard]] time_point now() const;

  surroundings around_;
  command_ledger commands_;
  timer_queue<timer_key> timers_;
  machine_activity activity_;
  /// Commands and hunts are numbered in one row.
  ssh::exec_id last_id_ = 0;
  bool makes_attempts_ = true;
};

} // namespace sshexec
