#include "sshexec/messages/latency_distribution.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace sshexec {

namespace {

constexpr std::size_t first_octave = 16;

caf::timespan middle_of(std::size_t range) {
  constexpr auto per_octave = latency_distribution::ranges_per_octave;
  const auto octave = first_octave + range / per_octave;
  const std::uint64_t width = (std::uint64_t{1} << octave) / per_octave;
  const std::uint64_t offset = range % per_octave;
  return caf::timespan{static_cast<std::int64_t>((per_octave + offset) * width + width / 2)};
}

auto fields(const latency_percentiles& x) {
  return std::tie(x.p50, x.p90, x.p99);
}

} // namespace

void latency_distribution::add(const latency_distribution& other) {
  const std::size_t size = std::min(other.counts.size(), ranges);
  if (counts.size() < size)
    counts.resize(size);
  for (std::size_t range = 0; range < size; ++range)
    counts[range] += other.counts[range];
}

caf::timespan latency_distribution::percentile(unsigned percent) const {
  const std::size_t size = std::min(counts.size(), ranges);
  std::uint64_t total = 0;
  for (std::size_t range = 0; range < size; ++range)
    total += counts[range];
  if (total == 0)
    return caf::timespan{0};
  // The rank of the duration that is looked for, rounded up: of one duration, every percentile is
  // that one. In this order, no total is too large.
  const std::uint64_t rank = std::max<std::uint64_t>(
    total / 100 * percent + (total % 100 * percent + 99) / 100, std::uint64_t{1});
  std::uint64_t passed = 0;
  std::size_t range = 0;
  while ((passed += counts[range]) < rank && range + 1 < size)
    ++range;
  return middle_of(range);
}

latency_percentiles latency_distribution::percentiles() const {
  return {percentile(50), percentile(90), percentile(99)};
}

std::size_t latency_distribution::range_of(caf::timespan duration) {
  constexpr std::int64_t shortest = std::int64_t{1} << first_octave;
  constexpr std::int64_t longest = (std::int64_t{1} << (first_octave + octaves)) - 1;
  const auto nanoseconds
    = static_cast<std::uint64_t>(std::clamp<std::int64_t>(duration.count(), shortest, longest));
  const auto octave = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1;
  const std::uint64_t sixteenths = nanoseconds * ranges_per_octave >> octave;
  return (octave - first_octave) * ranges_per_octave + (sixteenths - ranges_per_octave);
}

bool operator==(const latency_percentiles& a, const latency_percentiles& b) {
  return fields(a) == fields(b);
}

bool operator==(const latency_distribution& a, const latency_distribution& b) {
  return a.counts == b.counts;
}

} // namespace sshexec
