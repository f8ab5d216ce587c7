#pragma once

#include "sshexec/messages/latency_distribution.hpp"

#include <caf/timespan.hpp>

#include <array>
#include <cstdint>
#include <memory>

namespace sshexec {

/// The distribution of the durations of the last while, in little memory: none before the first
/// one, under 1 KiB after it. All counts are halved every so often.
class latency_histogram {
public:
  void add(caf::timespan duration);

  [[nodiscard]] latency_distribution distribution() const;

private:
  /// Counted durations at which all counts are halved.
  static constexpr std::uint32_t capacity = 1U << 14;

  struct counts {
    std::array<std::uint16_t, latency_distribution::ranges> of_range{};
    std::uint32_t total = 0;
  };

  static_assert(sizeof(counts) <= 1024);

  void halve();

  std::unique_ptr<counts> counts_;
};

} // namespace sshexec
