#pragma once

#include <chrono>
#include <cstdint>

namespace sshexec::bench {

/// What this process has used of the machine so far, all its threads taken together.
struct usage {
  std::chrono::microseconds cpu{0};
  /// Times that a thread was put to sleep or to the back of the queue.
  std::int64_t context_switches = 0;

  friend usage operator-(const usage& a, const usage& b) {
    return {a.cpu - b.cpu, a.context_switches - b.context_switches};
  }
};

usage usage_now();

/// The same without the calling thread.
usage usage_of_other_threads();

/// Bytes of memory that are this process's alone, after what the allocator can give back is gone.
std::int64_t private_memory();

} // namespace sshexec::bench
