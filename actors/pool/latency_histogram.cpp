#include "sshexec/actors/pool/latency_histogram.hpp"

#include <algorithm>
#include <bit>

namespace sshexec {

void latency_histogram::add(caf::timespan duration) {
  if (!counts_)
    counts_ = std::make_unique<counts>();
  if (counts_->total == capacity)
    halve();
  ++counts_->of_range[range_of(duration)];
  ++counts_->total;
}

caf::timespan latency_histogram::percentile(unsigned percent) const {
  if (!counts_)
    return caf::timespan{0};
  // The rank of the duration that is looked for, rounded up: of one duration, every percentile is
  // that one.
  const std::uint32_t rank = std::max((counts_->total * percent + 99) / 100, 1U);
  std::uint32_t passed = 0;
  std::size_t range = 0;
  while ((passed += counts_->of_range[range]) < rank)
    ++range;
  return middle_of(range);
}

latency_percentiles latency_histogram::percentiles() const {
  return {percentile(50), percentile(90), percentile(99)};
}

std::size_t latency_histogram::range_of(caf::timespan duration) {
  constexpr std::int64_t shortest = std::int64_t{1} << first_octave;
  constexpr std::int64_t longest = (std::int64_t{1} << (first_octave + octaves)) - 1;
  const auto nanoseconds
    = static_cast<std::uint64_t>(std::clamp<std::int64_t>(duration.count(), shortest, longest));
  const auto octave = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1;
  const std::uint64_t sixteenths = nanoseconds * ranges_per_octave >> octave;
  return (octave - first_octave) * ranges_per_octave + (sixteenths - ranges_per_octave);
}

caf::timespan latency_histogram::middle_of(std::size_t range) {
  const auto octave = first_octave + range / ranges_per_octave;
  const std::uint64_t width = (std::uint64_t{1} << octave) / ranges_per_octave;
  const std::uint64_t offset = range % ranges_per_octave;
  return caf::timespan{static_cast<std::int64_t>((ranges_per_octave + offset) * width + width / 2)};
}

void latency_histogram::halve() {
  counts_->total = 0;
  for (std::uint16_t& count : counts_->of_range)
    counts_->total += count /= 2;
}

} // namespace sshexec
