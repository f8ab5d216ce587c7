#pragma once

#include "sshexec/app/rollout/rollout_request.hpp"
#include "sshexec/app/run/run_options.hpp"

#include <CLI/App.hpp>
#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// Those options of `sshexec run` that are for many machines, as they were given.
struct rollout_options {
  std::vector<std::string> excluded;
  std::vector<std::string> excluded_groups;
  std::optional<std::string> inventory_file;
  std::optional<std::string> results_file;
  std::optional<std::uint32_t> pick;
  /// A number, or "random".
  std::optional<std::string> shuffle;
  std::optional<std::uint32_t> at_once;
  std::optional<std::string> steps;
  std::optional<std::string> pause;
  std::optional<std::string> max_failures;
  std::optional<std::string> when_exceeded;
  std::optional<std::string> output_directory;
  std::optional<std::string> colour;
  bool expand = false;
  bool gather = false;
  bool compare = false;
  bool without_prefix = false;
  bool largest = false;
  bool quiet = false;
  bool verbose = false;
  bool dry_run = false;
  bool confirm = false;
};

/// Declares these options on the command line of `run`, whose own are there; they are read into
/// `x`.
void add_rollout_options(CLI::App& run, rollout_options& x);

/// Whether the command line is about many machines: several targets, a set, or one of the options
/// above.
bool is_rollout(const CLI::App& run, const run_options& one);

/// What the options ask for. Reads the files that they name. The error is a sentence for the user.
tl::expected<rollout_request, std::string> to_request(const run_options& one,
                                                      const rollout_options& many);

} // namespace sshexec::app
