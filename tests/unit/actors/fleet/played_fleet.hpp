#pragma once

#include "sshexec/actors/fleet/rollout.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/testing/virtual_time.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// A rollout on virtual time whose executor, consumer and caller are played by a test.
namespace sshexec::test {

/// Of machines.
using places = std::vector<std::size_t>;

inline portion share(std::uint32_t percent) {
  return {percent, true};
}

inline portion count(std::uint32_t machines) {
  return {machines, false};
}

/// As it can be compared with `running`.
inline std::vector<std::uint64_t> numbers(std::initializer_list<std::uint64_t> x) {
  return x;
}

/// For lists that are compared.
inline constexpr auto each = boost::test_tools::per_element();

struct fleet_configuration : caf::actor_system_config {
  fleet_configuration() { register_messages(*this); }
};

/// A command that the executor has.
struct fleet_command {
  machine target;
  sshexec::command command;
  caf::typed_response_promise<command_result> promise;
};

class played_fleet : public testing::virtual_time<fleet_configuration> {
public:
  played_fleet();
  ~played_fleet();

  /// A rollout of so many machines, `host-0` and so on, all at once.
  static rollout of(std::size_t machines);

  /// Spawns it.
  void prepare(rollout what);
  /// Spawns it unless that was done, and begins.
  void start();
  void start(rollout what);

  /// The executor answers.
  void finish(std::size_t place, int exit_code = 0);
  void fail(std::size_t place, error_code code = error_code::connection_error);
  void fail(std::size_t place, caf::error reason);
  /// The consumer answers so many of the outcomes that it holds.
  void answer_outcomes(std::size_t count);
  void cancel(bool under_way);
  void pause();
  void resume();
  void end_executor();
  void end_consumer();
  void end_caller();
  /// Sends the rollout an exit message.
  void tell_to_exit();

  rollout_progress progress();

  /// What became of a machine, by its place; fails the test when that is not known.
  const machine_outcome& outcome(std::size_t place);
  [[nodiscard]] std::vector<std::size_t> open_places() const;

  [[nodiscard]] bool answered() const { return summary || error; }

  /// What the executor has, by place.
  std::map<std::size_t, fleet_command> open;
  /// Places in the order in which they were started, and those that were taken back.
  std::vector<std::size_t> started;
  std::vector<std::size_t> cancelled;
  /// Whether a command that is taken back ends with it.
  bool ends_cancelled = true;
  /// Called with each place that is started.
  std::function<void(std::size_t)> on_start;

  /// What the consumer was told, and what it owes an answer.
  std::vector<machine_outcome> outcomes;
  std::deque<caf::typed_response_promise<void>> unanswered;
  bool consumer_holds = false;
  bool consumer_fails = false;

  std::optional<rollout_summary> summary;
  std::optional<caf::error> error;
  int answers = 0;

  rollout_actor subject;
  outcome_consumer consumer;
  executor_actor executor;

private:
  /// Has the commands, as a pool's supervisors do: it may answer after the executor has ended.
  executor_actor worker_;
  caf::actor caller_;
};

} // namespace sshexec::test
