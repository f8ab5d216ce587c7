#pragma once

#include "sshexec/messages/rollout.hpp"

#include <cstddef>

namespace sshexec {

/// Counts the outcomes of a rollout.
class rollout_tally {
public:
  explicit rollout_tally(std::size_t all) { summary_.all = all; }

  void add(const machine_outcome& x);

  /// Without what is not a matter of outcomes: who is running, the step, the pause.
  [[nodiscard]] rollout_progress progress() const;

  /// To be taken once, behind the last outcome.
  rollout_summary take_summary(caf::timespan duration);

private:
  rollout_summary summary_;
  std::uint64_t ended_otherwise_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t never_started_ = 0;
};

/// Whether this outcome counts against `rollout::max_failures`.
bool counts_as_failure(const machine_outcome& x, failure_rule rule);

} // namespace sshexec
