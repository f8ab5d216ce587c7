#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace sshexec::app {

/// What the command line says.
struct authority_options {
  std::string directory;
  /// Empty: makes what a hub and a client need to begin with.
  std::string action;
  std::string name;
  bool for_hub = false;
  unsigned days = 365;
  bool force = false;
};

void add_authority_options(CLI::App& authority, authority_options& x);

/// Does what is asked for and prints what there is then. Returns the tool's exit code; throws
/// `std::runtime_error`.
int run_authority(const authority_options& x);

} // namespace sshexec::app
