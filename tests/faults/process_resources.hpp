#pragma once

#include <cstddef>
#include <filesystem>

namespace sshexec::test {

/// What this process holds at the moment (proc(5)).
struct process_resources {
  std::size_t descriptors = count("/proc/self/fd");
  std::size_t threads = count("/proc/self/task");

private:
  static std::size_t count(const char* directory) {
    const std::filesystem::directory_iterator entries{directory};
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }
};

} // namespace sshexec::test
