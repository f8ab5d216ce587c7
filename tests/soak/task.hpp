#pragma once

#include "dice.hpp"
#include "sshexec/messages/command.hpp"
#include "sshexec/messages/command_result.hpp"
#include "sshexec/testing/scripts.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sshexec::soak {

/// What a command does, and therefore what its caller must be told when nothing interferes.
enum class task_kind : std::uint8_t {
  prints,
  /// More than is kept.
  prints_too_much,
  dies_of_signal,
  /// Longer than its timeout allows.
  hangs,
  /// Ignores what is to end it, too.
  hangs_on,
  /// The server does not let it run.
  is_refused,
};

/// One command whose whole outcome is known beforehand. What it prints depends on its number, so
/// that mixed-up output does not go unnoticed.
struct task {
  /// Its own in the whole run.
  std::uint64_t number = 0;
  task_kind kind = task_kind::prints;
  /// Whether a shell runs it, which prints what it reads.
  bool by_shell = false;
  std::size_t stdout_size = 0;
  std::size_t stderr_size = 0;
  int exit_code = 0;
  retry_policy retry = retry_policy::always;
  /// For one that hangs.
  std::chrono::milliseconds timeout{0};
  std::optional<std::chrono::milliseconds> cancelled_after;
};

task random_task(std::uint64_t number, bool by_shell, dice& random);

/// What the executor is asked to do; the line ends with the task's number.
command to_command(const task& x);

/// What a scripted server does when nothing interferes.
testing::command_script to_script(const task& x);

/// The number at the end of a command's line, of which other text may follow only a quote.
std::optional<std::uint64_t> number_in(const std::string& line);

using outcome = caf::expected<command_result>;

/// Nothing, or what is wrong with a task's outcome. `is_explained` tells whether faults that were
/// injected explain its error, `runs` how often a server has begun to run it, if that is known.
std::optional<std::string> objection(const task& x, const outcome& seen, bool is_explained,
                                     std::optional<unsigned> runs);

} // namespace sshexec::soak
