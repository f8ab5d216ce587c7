#pragma once

#include "sshexec/messages/rollout.hpp"

#include <tl/expected.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace sshexec::app {

/// Counts up whenever a field of the objects below changes its meaning or goes.
inline constexpr int result_schema = 1;

/// What `--json` prints for a machine, without the line's end: the object of a single run and
/// `machine`, `index` and `outcome`.
std::string to_json_line(const machine_outcome& x);

/// What it prints last: an object whose one member is `summary`.
std::string to_json_line(const rollout_summary& x);

/// What `--rerun` reads of such lines.
struct earlier_results {
  /// The machines that did not succeed, each once.
  std::vector<std::string> unsuccessful;
  /// Whether the summary is there. Otherwise the tool was ended before it had a line for each
  /// machine.
  bool is_complete = false;
};

/// The error names the line, or tells what is wrong with the file as a whole, as one without any
/// result. A last line that was not written to its end is left out.
tl::expected<earlier_results, std::string> read_results(std::istream& lines);

} // namespace sshexec::app
