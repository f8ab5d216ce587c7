#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sshexec {

/// Names, each once, in the order in which they were added. None is empty.
class name_set {
public:
  /// False if it is there already.
  bool add(const std::string& name) {
    const bool is_new = places_.try_emplace(name, next_).second;
    next_ += is_new ? 1 : 0;
    return is_new;
  }

  bool remove(const std::string& name) { return places_.erase(name) != 0; }

  [[nodiscard]] bool contains(const std::string& name) const { return places_.contains(name); }

  [[nodiscard]] std::size_t size() const { return places_.size(); }

  /// Removes all that the other one lacks.
  void keep(const name_set& other) {
    std::erase_if(places_, [&](const auto& entry) { return !other.contains(entry.first); });
  }

  /// Leaves it empty.
  std::vector<std::string> take() {
    std::vector<std::string> result(std::exchange(next_, 0));
    while (!places_.empty()) {
      auto entry = places_.extract(places_.begin());
      result[entry.mapped()] = std::move(entry.key());
    }
    std::erase_if(result, [](const std::string& name) { return name.empty(); });
    return result;
  }

private:
  std::unordered_map<std::string, std::size_t> places_;
  std::size_t next_ = 0;
};

} // namespace sshexec
