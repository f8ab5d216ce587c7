#include "sshexec/testing/server_record.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::testing {

std::size_t count(const observations& seen, event what) {
  return static_cast<std::size_t>(
    std::ranges::count_if(seen, [=](const observation& x) { return x.what == what; }));
}

std::size_t count(const observations& seen, event what, std::string_view detail) {
  return static_cast<std::size_t>(std::ranges::count_if(
    seen, [=](const observation& x) { return x.what == what && x.detail == detail; }));
}

void server_record::add(observation seen) {
  {
    const std::lock_guard lock{mutex_};
    seen_.push_back(std::move(seen));
  }
  changed_.notify_all();
}

observations server_record::all() const {
  const std::lock_guard lock{mutex_};
  return seen_;
}

bool server_record::wait_for(const std::function<bool(const observations&)>& predicate,
                             std::chrono::milliseconds bound) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, bound, [&] { return predicate(seen_); });
}

} // namespace sshexec::testing
