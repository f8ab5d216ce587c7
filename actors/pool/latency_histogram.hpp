#pragma once

#include "sshexec/messages/executor_status.hpp"

#include <caf/timespan.hpp>

#include <array>
#include <cstdint>
#include <memory>

namespace sshexec {

/// The distribution of durations in little memory: none before the first one, under 1 KiB after it.
/// Each power of two is divided into 16 equal ranges, from 65 µs to 19 hours; what is shorter or
/// longer counts as the shortest or longest. The counts are halved every so often, so that the
/// distribution is one of the last while.
class latency_histogram {
public:
  void add(caf::timespan duration);

  /// The middle of the range in which the duration lies that so many percent do not exceed; 0
  /// without any.
  [[nodiscard]] caf::timespan percentile(unsigned percent) const;

  [[nodiscard]] latency_percentiles percentiles() const;

private:
  static constexpr std::size_t first_octave = 16;
  static constexpr std::size_t octaves = 30;
  static constexpr std::size_t ranges_per_octave = 16;
  /// Counted durations at which all counts are halved.
  static constexpr std::uint32_t capacity = 1U << 14;

  struct counts {
    std::array<std::uint16_t, octaves * ranges_per_octave> of_range{};
    std::uint32_t total = 0;
  };

  static_assert(sizeof(counts) <= 1024);

  static std::size_t range_of(caf::timespan duration);
  static caf::timespan middle_of(std::size_t range);
  void halve();

  std::unique_ptr<counts> counts_;
};

} // namespace sshexec
