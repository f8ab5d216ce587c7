#pragma once

#include <cstdio>
#include <string>

namespace sshexec {

/// Tells the administrator something that is about no request. A stderr that cannot be written ends
/// nobody: the C library's call does not throw.
inline void print_to_stderr(const std::string& text) {
  std::fprintf(stderr, "sshexec: %s\n", text.c_str());
}

} // namespace sshexec
