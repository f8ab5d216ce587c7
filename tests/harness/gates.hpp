#pragma once

#include <mutex>
#include <set>
#include <string>

namespace sshexec::testing {

/// Named points where scripts wait for the test; an open gate stays open. Functions may be called
/// from any thread.
class gates {
public:
  void open(const std::string& name) {
    const std::lock_guard lock{mutex_};
    open_.insert(name);
  }

  [[nodiscard]] bool is_open(const std::string& name) const {
    const std::lock_guard lock{mutex_};
    return open_.contains(name);
  }

private:
  mutable std::mutex mutex_;
  std::set<std::string> open_;
};

} // namespace sshexec::testing
