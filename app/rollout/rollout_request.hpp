#pragma once

#include "sshexec/actors/remote/connect_executor.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/app/rollout/colours.hpp"
#include "sshexec/messages/rollout.hpp"

#include <caf/settings.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// How the output of many machines is printed.
enum class output_form : std::uint8_t {
  /// Line by line, as it comes.
  lines,
  /// Equal outputs together, at the end.
  gathered,
  /// The same, each compared with the most frequent one.
  compared,
  /// A line of JSON for each machine as it ends.
  json,
};

/// One `sshexec run` on many machines, after its options were read.
struct rollout_request {
  rollout what;
  settings config;
  /// For CAF itself.
  caf::settings system;
  /// Who runs the commands instead of this process, if anybody.
  std::optional<connect_settings> hub;
  output_form form = output_form::lines;
  colour_choice colour = colour_choice::automatic;
  bool has_prefix = true;
  /// Where the output goes instead of stdout and stderr; lines are not printed then.
  std::optional<std::string> output_directory;
  /// No progress, and no last words where all went well.
  bool is_quiet = false;
  /// Machines that are slow are named.
  bool is_verbose = false;
  /// The exit code is the largest of those of the commands.
  bool wants_largest = false;
  /// Whether each command gets all of the tool's stdin.
  bool feeds_stdin = false;
  bool is_dry_run = false;
  /// Asks on the terminal first.
  bool asks = false;
  /// Said before anything begins.
  std::vector<std::string> remarks;
};

} // namespace sshexec::app
