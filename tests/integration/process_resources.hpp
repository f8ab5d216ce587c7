#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <thread>

namespace sshexec::test {

/// What this process holds at the moment (proc(5)).
struct process_resources {
  std::size_t descriptors = count("/proc/self/fd");
  std::size_t threads = count("/proc/self/task");
  std::size_t resident_bytes = resident_size();

  /// What is held once it is no more than before, or after ten seconds: the kernel counts a thread
  /// for a moment after it was joined.
  static process_resources back_to(const process_resources& before) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    process_resources now;
    while ((now.threads > before.threads || now.descriptors > before.descriptors)
           && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
      now = {};
    }
    return now;
  }

private:
  static std::size_t count(const char* directory) {
    const std::filesystem::directory_iterator entries{directory};
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }

  static std::size_t resident_size() {
    std::size_t total_pages = 0;
    std::size_t resident_pages = 0;
    std::ifstream{"/proc/self/statm"} >> total_pages >> resident_pages;
    return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }
};

} // namespace sshexec::test
