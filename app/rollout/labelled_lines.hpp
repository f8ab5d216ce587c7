#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sshexec::app {

/// Makes whole lines of one stream of a machine's output, each behind a label.
class labelled_lines {
public:
  /// A line that is longer than this is broken, so that one without an end fills no memory.
  static constexpr std::size_t longest = std::size_t{64} << 10;

  explicit labelled_lines(std::string label = {}) : label_(std::move(label)) {}

  /// The lines that are whole by now.
  std::string take(std::string_view data);

  /// What came behind the last whole line, as a line of its own; nothing if nothing did.
  std::string finish();

private:
  /// Appends what was begun, as a line.
  void end_line(std::string& lines);

  std::string label_;
  std::string begun_;
};

} // namespace sshexec::app
