#pragma once

#include <caf/meta/type_name.hpp>
#include <caf/timespan.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sshexec {

/// How long commands took, from receipt to answer: half, 90 and 99 of 100 took no longer. Within
/// 4 %; 0 when there were none.
struct latency_percentiles {
  caf::timespan p50{0};
  caf::timespan p90{0};
  caf::timespan p99{0};
};

/// How many commands took how long. Those of several machines or executors can be added up, which
/// percentiles cannot.
///
/// Each power of two is divided into 16 equal ranges, from 65 µs to 19 hours; what is shorter or
/// longer counts as the shortest or longest.
struct latency_distribution {
  static constexpr std::size_t ranges_per_octave = 16;
  static constexpr std::size_t octaves = 30;
  static constexpr std::size_t ranges = octaves * ranges_per_octave;

  /// Commands by range, shortest first. Ranges behind the end have none, and what is behind
  /// `ranges` is ignored.
  std::vector<std::uint64_t> counts;

  /// Counts the commands of another one here, too.
  void add(const latency_distribution& other);

  /// The middle of the range in which the duration lies that so many percent do not exceed; 0
  /// without any.
  [[nodiscard]] caf::timespan percentile(unsigned percent) const;

  [[nodiscard]] latency_percentiles percentiles() const;

  /// The range in which a duration lies, from 0.
  static std::size_t range_of(caf::timespan duration);
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, latency_percentiles& x) {
  return f(caf::meta::type_name("latency_percentiles"), x.p50, x.p90, x.p99);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, latency_distribution& x) {
  return f(caf::meta::type_name("latency_distribution"), x.counts);
}

bool operator==(const latency_percentiles& a, const latency_percentiles& b);
bool operator==(const latency_distribution& a, const latency_distribution& b);

} // namespace sshexec
