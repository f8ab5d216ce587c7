#pragma once

#include <caf/actor_clock.hpp>

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace sshexec {

/// The deadlines of one actor, each under a key of its own. The actor keeps one delayed message
/// under way for the earliest of them, instead of one for each: a delayed message cannot be taken
/// back, and most deadlines are cancelled before they pass.
template <class Key>
class timer_queue {
public:
  using time_point = caf::actor_clock::time_point;

  /// Sets or moves the deadline of `key`.
  void set(const Key& key, time_point when) {
    const auto [i, is_new] = deadlines_.try_emplace(key, when);
    if (!is_new) {
      if (i->second == when)
        return;
      by_time_.erase({i->second, key});
      i->second = when;
    }
    by_time_.emplace(when, key);
  }

  void cancel(const Key& key) {
    const auto i = deadlines_.find(key);
    if (i == deadlines_.end())
      return;
    by_time_.erase({i->second, key});
    deadlines_.erase(i);
  }

  [[nodiscard]] bool contains(const Key& key) const { return deadlines_.contains(key); }

  /// The earliest deadline.
  [[nodiscard]] std::optional<time_point> earliest() const {
    return by_time_.empty() ? std::nullopt : std::optional{by_time_.begin()->first};
  }

  /// Takes out the earliest deadline that has passed.
  std::optional<Key> take_due(time_point now) {
    if (by_time_.empty() || by_time_.begin()->first > now)
      return std::nullopt;
    Key key = by_time_.begin()->second;
    cancel(key);
    return key;
  }

  /// The time at which a tick has to be sent for, if none that is under way comes early enough.
  std::optional<time_point> tick_to_send() {
    if (by_time_.empty())
      return std::nullopt;
    const time_point earliest = by_time_.begin()->first;
    if (!ticks_.empty() && *ticks_.begin() <= earliest)
      return std::nullopt;
    ticks_.insert(earliest);
    return earliest;
  }

  /// To be told of each tick that arrives.
  void tick_arrived(time_point now) { ticks_.erase(ticks_.begin(), ticks_.upper_bound(now)); }

private:
  std::map<Key, time_point> deadlines_;
  std::set<std::pair<time_point, Key>> by_time_;
  std::set<time_point> ticks_;
};

} // namespace sshexec
