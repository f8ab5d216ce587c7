#include "sshexec/actors/pool/latency_histogram.hpp"

namespace sshexec {

void latency_histogram::add(caf::timespan duration) {
  if (!counts_)
    counts_ = std::make_unique<counts>();
  if (counts_->total == capacity)
    halve();
  ++counts_->of_range[latency_distribution::range_of(duration)];
  ++counts_->total;
}

latency_distribution latency_histogram::distribution() const {
  latency_distribution result;
  if (!counts_)
    return result;
  result.counts.assign(counts_->of_range.begin(), counts_->of_range.end());
  while (!result.counts.empty() && result.counts.back() == 0)
    result.counts.pop_back();
  return result;
}

void latency_histogram::halve() {
  counts_->total = 0;
  for (std::uint16_t& count : counts_->of_range)
    counts_->total += count /= 2;
}

} // namespace sshexec
