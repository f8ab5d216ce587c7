#pragma once

#include "sshexec/app/rollout/fates.hpp"
#include "sshexec/app/rollout/gathered_outputs.hpp"
#include "sshexec/messages/rollout.hpp"

#include <caf/timespan.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sshexec::app {

/// Exit codes of a rollout that are not those of one command.
inline constexpr int exit_some_ended_otherwise = 1;
inline constexpr int exit_some_failed = 3;

/// What the exit code depends on, besides what became of the machines.
struct circumstances {
  /// What the tool was told to stop by; 0 for nothing.
  int signal = 0;
  /// Whether the largest exit code of a command stands for all others.
  bool wants_largest = false;
  /// Whether the reader of the output had not taken all of it when it was to stop.
  bool output_was_cut = false;
};

/// Keeps count of what became of the machines, for the exit code and the last words.
class rollout_account {
public:
  void add(const machine_outcome& x);

  [[nodiscard]] std::uint64_t done() const { return succeeded_ + unsuccessful(); }

  [[nodiscard]] bool all_succeeded() const { return unsuccessful() == 0; }

  /// The exit code of the tool.
  [[nodiscard]] int exit_code(const circumstances& given) const;

  /// How many succeeded, and who did not and why: a line each.
  [[nodiscard]] std::vector<std::string> lines(caf::timespan duration, const folding& fold) const;

private:
  [[nodiscard]] std::uint64_t unsuccessful() const;

  std::uint64_t succeeded_ = 0;
  /// Of the commands that ended: as the tool would exit if there were only that one.
  int largest_code_ = 0;
  std::uint64_t ended_otherwise_ = 0;
  /// Machines that gave no result, by why not: those that were never started, too.
  std::uint64_t timed_out_ = 0;
  std::uint64_t cancelled_ = 0;
  std::uint64_t failed_otherwise_ = 0;
  std::map<fate, std::vector<std::string>> unsuccessful_;
};

} // namespace sshexec::app
