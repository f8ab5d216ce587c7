#include "sshexec/app/rollout/slow_machines.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::app {

std::optional<slow_machines::finding> slow_machines::look(const std::vector<std::uint64_t>& running,
                                                          clock::time_point now) {
  note(running, now);
  const auto may_be_slow
    = [now](const auto& x) { return !x.second.is_told && now - x.second.since >= least; };
  if (took_.empty() || took_.size() < running_.size()
      || std::none_of(running_.begin(), running_.end(), may_be_slow))
    return std::nullopt;
  finding result;
  result.median = median();
  const auto limit = std::max<clock::duration>(least, times_the_median * result.median);
  result.under_way = limit;
  for (auto& [place, seen] : running_)
    if (!seen.is_told && now - seen.since >= limit) {
      seen.is_told = true;
      result.places.push_back(place);
    }
  if (result.places.empty())
    return std::nullopt;
  return result;
}

void slow_machines::note(const std::vector<std::uint64_t>& running, clock::time_point now) {
  std::map<std::uint64_t, sighting> seen;
  for (const auto place : running) {
    const auto i = running_.find(place);
    seen.emplace(place, i == running_.end() ? sighting{now} : i->second);
  }
  running_ = std::move(seen);
}

slow_machines::clock::duration slow_machines::median() {
  const auto middle = took_.begin() + static_cast<std::ptrdiff_t>((took_.size() - 1) / 2);
  std::nth_element(took_.begin(), middle, took_.end());
  return *middle;
}

} // namespace sshexec::app
