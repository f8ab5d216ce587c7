#pragma once

#include "sshexec/app/authority/run_authority.hpp"
#include "sshexec/app/rollout/rollout_options.hpp"
#include "sshexec/app/run/run_options.hpp"
#include "sshexec/app/serve/serve_options.hpp"

#include <CLI/App.hpp>

#include <string>

namespace sshexec::app {

/// The whole command line of the tool. Help, manual and completion are made of it.
struct tool_parser {
  tool_parser();
  // What was declared leads to the fields below.
  tool_parser(const tool_parser&) = delete;
  tool_parser& operator=(const tool_parser&) = delete;

  CLI::App tool;
  CLI::App* run = nullptr;
  CLI::App* demo = nullptr;
  CLI::App* serve = nullptr;
  CLI::App* authority = nullptr;
  /// Not for people: what shells ask, and how the manual is made.
  CLI::App* complete = nullptr;
  CLI::App* manual = nullptr;

  run_options one;
  rollout_options many;
  serve_options daemon;
  authority_options certificates;
};

} // namespace sshexec::app
