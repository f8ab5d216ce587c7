#pragma once

#include "sshexec/actors/remote/connect_executor.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/command.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/settings.hpp>

#include <map>
#include <optional>
#include <string>

namespace sshexec::app {

/// One `sshexec run`, after its options were read.
struct run_request {
  machine target;
  command what;
  settings config;
  /// For CAF itself.
  caf::settings system;
  /// The configuration's names for sets of machines.
  std::map<std::string, std::string> groups;
  /// Who runs the command instead of this process, if anybody.
  std::optional<connect_settings> hub;
  /// Prints the result as an object, instead of the output as it comes.
  bool json = false;
  /// Keeps the output within the command's cap and prints it at the end.
  bool collects = false;
  /// Whether the command gets the tool's stdin.
  bool feeds_stdin = false;
  /// Whether output may begin anew that was printed already, when the connection is lost.
  bool may_begin_anew = false;
};

/// Runs the command and prints how it ended. Returns the tool's exit code.
int run_command(const run_request& request);

} // namespace sshexec::app
