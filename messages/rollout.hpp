#pragma once

#include "sshexec/messages/command.hpp"
#include "sshexec/messages/command_result.hpp"
#include "sshexec/messages/failure.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/optional.hpp>
#include <caf/timespan.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// One command for many machines. `spawn_rollout` (actors/fleet/rollout.hpp) runs it over any
/// executor.
namespace sshexec {

/// A number of machines, or a share of all of them in percent.
struct portion {
  std::uint32_t amount = 0;
  bool percent = false;
};

/// What counts against `rollout::max_failures`. A machine that was never started never does.
enum class failure_rule : std::uint8_t {
  /// Errors, and commands that ended with another exit code than 0 or by a signal.
  errors_and_exit_codes,
  errors_only,
};

/// What happens to the commands under way once there are more failures than allowed.
enum class excess_rule : std::uint8_t { let_finish, cancel };

struct rollout {
  /// In the order in which they are started. Each is served once: a repetition is left out.
  std::vector<machine> machines;
  /// The same for each machine. Each machine's has an id of its own, which is this one's (or one
  /// made for the rollout, where this has none), a slash, and the machine's place: so `output_to`,
  /// which gets the output of all, and observers can tell them apart (`place_of`). It cannot have
  /// `stdin_open`.
  sshexec::command command;
  /// Replaces %h (host), %u (user, empty where the machine names none), %p (port), %n (the
  /// machine's place, counted from 1) and %% in the command's line. Nothing is quoted. Any other %
  /// is an error.
  bool expand = false;
  /// Machines that are under way at the same time, at the most; at least 1.
  std::uint32_t at_once = 50;
  /// Machines are started in steps of these sizes, the last one repeated: a step begins when all
  /// machines of the one before have ended. A share counts of all machines, rounded up. None: one
  /// step.
  std::vector<portion> steps;
  /// Between the end of a step and the beginning of the next one.
  caf::timespan pause{0};
  /// Once there are more failures than this, no other machine is started. A share is rounded down.
  /// None: no limit.
  caf::optional<portion> max_failures;
  excess_rule when_exceeded = excess_rule::let_finish;
  failure_rule counts_as_failure = failure_rule::errors_and_exit_codes;
  /// Shuffles the machines: the same seed gives the same order. None: the order as given.
  caf::optional<std::uint64_t> shuffle_seed;
  /// Time for all of it. At its end, what is under way is ended, which is a `command_timeout`, and
  /// nothing more is started.
  caf::optional<caf::timespan> deadline;
};

enum class outcome_kind : std::uint8_t {
  /// The command ran to its end, whatever its exit code: `machine_outcome::result`.
  ended,
  /// It did not: `machine_outcome::code` and `what`.
  failed,
  /// Nothing was sent to the machine: `machine_outcome::reason`.
  never_started,
};

/// Why a machine was never started.
enum class skip_reason : std::uint8_t {
  none,
  too_many_failures,
  cancelled,
  deadline,
  /// The executor ended, or takes no commands any more.
  executor_gone,
};

std::string to_string(failure_rule x);
std::string to_string(excess_rule x);
std::string to_string(outcome_kind x);
std::string to_string(skip_reason x);

/// What became of one machine. Each machine of a rollout has exactly one.
struct machine_outcome {
  /// The machine's place in `rollout::machines`, from 0; of a repeated one, its first place.
  std::uint64_t index = 0;
  sshexec::machine machine;
  outcome_kind kind = outcome_kind::never_started;
  command_result result;
  error_code code = error_code::none;
  failure what;
  skip_reason reason = skip_reason::none;

  /// Whether the command ended with exit code 0.
  [[nodiscard]] bool succeeded() const {
    return kind == outcome_kind::ended && result.exit_code == 0;
  }
};

/// How far a rollout is.
struct rollout_progress {
  /// Machines, without repetitions.
  std::uint64_t all = 0;
  /// Those that have their outcome, by kind. `succeeded` are those with exit code 0.
  std::uint64_t succeeded = 0;
  std::uint64_t ended_otherwise = 0;
  std::uint64_t failed = 0;
  std::uint64_t never_started = 0;
  /// Places in `rollout::machines` of those that are under way.
  std::vector<std::uint64_t> running;
  /// Counts from 1; 0 before the first step.
  std::uint32_t step = 0;
  bool paused = false;
};

/// What became of all machines.
struct rollout_summary {
  std::uint64_t all = 0;
  std::uint64_t succeeded = 0;
  /// Machines by the exit code of their command, those with 0 and -1 (a signal) included.
  std::map<std::int32_t, std::uint64_t> exit_codes;
  std::map<error_code, std::uint64_t> errors;
  std::map<skip_reason, std::uint64_t> never_started;
  /// Places in `rollout::machines` of those that did not succeed, in ascending order.
  std::vector<std::uint64_t> unsuccessful;
  caf::timespan duration{0};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, portion& x) {
  return f(caf::meta::type_name("portion"), x.amount, x.percent);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, rollout& x) {
  return f(caf::meta::type_name("rollout"), x.machines, x.command, x.expand, x.at_once, x.steps,
           x.pause, x.max_failures, x.when_exceeded, x.counts_as_failure, x.shuffle_seed,
           x.deadline);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, machine_outcome& x) {
  return f(caf::meta::type_name("machine_outcome"), x.index, x.machine, x.kind, x.result, x.code,
           x.what, x.reason);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, rollout_progress& x) {
  return f(caf::meta::type_name("rollout_progress"), x.all, x.succeeded, x.ended_otherwise,
           x.failed, x.never_started, x.running, x.step, x.paused);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, rollout_summary& x) {
  return f(caf::meta::type_name("rollout_summary"), x.all, x.succeeded, x.exit_codes, x.errors,
           x.never_started, x.unsuccessful, x.duration);
}

/// The place in `rollout::machines` of the machine whose command has this id; none when it is no
/// command of a rollout.
std::optional<std::uint64_t> place_of(const std::string& command_id);

/// How many of `all` machines are meant: a share for a step is rounded up, one for a limit down.
std::size_t rounded_up(const portion& x, std::size_t all);
std::size_t rounded_down(const portion& x, std::size_t all);

} // namespace sshexec
