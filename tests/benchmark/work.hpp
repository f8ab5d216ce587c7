#pragma once

#include "pool.hpp"

#include <cstddef>
#include <vector>

namespace sshexec::bench {

/// What there is to do: so many times this command, on one machine after another.
struct work {
  std::vector<machine> targets;
  command what;
  std::size_t total = 1;
  std::size_t concurrency = 1;
};

/// What came of it.
struct outcome {
  double seconds = 0;
  /// Of each command that succeeded, from request to answer; sorted.
  std::vector<double> milliseconds;
  std::size_t failures = 0;

  /// The latency below which so many of a hundred commands were.
  [[nodiscard]] double percentile(std::size_t percent) const;
};

/// Does the work, and returns when all of it is done. Failures are printed to stderr.
outcome do_work(pool& where, const work& what);

} // namespace sshexec::bench
