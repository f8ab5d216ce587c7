#pragma once

#include "sshexec/actors/fleet/rollout.hpp"
#include "sshexec/actors/fleet/rollout_plan.hpp"
#include "sshexec/actors/fleet/rollout_tally.hpp"
#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/time.hpp"

#include <caf/actor_addr.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sshexec {

using tick_atom = caf::atom_constant<caf::atom("tick")>;
using show_atom = caf::atom_constant<caf::atom("show")>;
using gone_atom = caf::atom_constant<caf::atom("gone")>;

/// With what a rollout says to itself.
using rolling_actor
  = rollout_actor::extend<caf::reacts_to<tick_atom>,
                          /// Observers are to be told.
                          caf::reacts_to<show_atom>,
                          /// The executor ended, and its last answers had their time to arrive.
                          caf::reacts_to<gone_atom>>;

/// After each message, `pursue` asks the plan what has to be done and does it.
struct rollout_state {
  static inline const char* name = "sshexec.rollout";

  enum class stage : std::uint8_t {
    /// Nobody has started it.
    prepared,
    rolling,
    /// It was told to end, and does so once each machine has its outcome.
    exiting,
    /// Answered.
    ended,
  };

  explicit rollout_state(rolling_actor::pointer self_ptr) : self(self_ptr) {}

  void set_up(executor_actor over, rollout wanted, outcome_consumer outcomes_to);

  // -- what others say --
  caf::result<rollout_summary> start();
  void cancel(excess_rule under_way);
  void exit(const caf::error& reason);
  void actor_ended(const caf::actor_addr& source);
  [[nodiscard]] rollout_progress progress() const;
  void observe(progress_observer observer);

  // -- one machine, from its start to its consumer's answer --
  void start_machine(std::size_t place);
  void succeeded(std::size_t place, command_result& result);
  void failed(std::size_t place, const caf::error& reason);
  void skip_machine(std::size_t place);
  void tell(machine_outcome outcome);
  void told();

  // -- ends --
  void consumer_ended();
  void executor_ended();
  void executor_gone();
  void cancel_running();

  // -- observers --
  void show_soon();
  void show();
  void tell_observers();

  // -- plumbing --
  void pursue();
  void finish();
  void wake_up_in_time();
  [[nodiscard]] machine_outcome outcome_of(std::size_t place);
  [[nodiscard]] std::string command_id(std::size_t place) const;
  [[nodiscard]] time_point now() const;

  rolling_actor::pointer self;
  executor_actor executor;
  outcome_consumer consumer;
  caf::actor_addr caller;
  /// The machines give way to their outcomes.
  rollout what;
  std::string command_name;
  /// Places of the machines, in the order in which they are started.
  std::vector<std::size_t> order;
  std::optional<rollout_plan> plan;
  std::optional<rollout_tally> tally;
  reply<rollout_summary> answer;

  stage where = stage::prepared;
  time_point begun_at;
  /// Who has no outcome yet, by place, and since when.
  std::unordered_map<std::size_t, time_point> running;
  /// Outcomes that the consumer has not answered.
  std::size_t untold = 0;
  /// Whether what runs was told to end.
  bool cancelled_running = false;
  std::vector<progress_observer> observers;
  /// Whether they will be told again.
  bool is_shown = false;
  /// When the next tick comes.
  std::optional<time_point> tick_at;
};

} // namespace sshexec
