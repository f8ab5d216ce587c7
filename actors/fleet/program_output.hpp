#pragma once

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace sshexec {

struct program_failure {
  /// Whether it never ran because it is no program (ENOEXEC): a text that was marked executable.
  bool is_no_program = false;
  /// A sentence with the program's name and the end of what it wrote to stderr.
  std::string text;
};

/// Runs a program, its path first, without a shell, with nothing on its stdin and in a process
/// group of its own, and returns what it wrote to stdout. Blocks until it ended. When the time is
/// up or it writes more than so many bytes, it is killed with all of its group.
tl::expected<std::string, program_failure> run_for_output(std::vector<std::string> line,
                                                          std::chrono::milliseconds timeout,
                                                          std::size_t max_size);

} // namespace sshexec
