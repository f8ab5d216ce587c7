#pragma once

#include "sshexec/ssh/connection.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

namespace sshexec {

/// Hunts for the processes of tracked commands (ssh/tracked_command.hpp): each is a command on a
/// channel of its own, the hunter, which is after the processes of another one, its victim.
class hunts {
public:
  /// A hunter is to be sent after this command's processes as soon as a channel is free.
  void want(ssh::exec_id victim) { wanted_.push_back(victim); }

  [[nodiscard]] bool any_wanted() const { return !wanted_.empty(); }

  /// Sends a hunter after the first victim that waits for one, which it returns.
  ssh::exec_id begin(ssh::exec_id hunter) {
    const ssh::exec_id victim = wanted_.front();
    wanted_.pop_front();
    under_way_.emplace(hunter, victim);
    return victim;
  }

  /// The hunter got no channel: its victim is the next one to get another.
  void refused(ssh::exec_id hunter) {
    if (const auto victim = end(hunter))
      wanted_.push_front(*victim);
  }

  /// The hunter is done. Returns whom it was after, if it was one.
  std::optional<ssh::exec_id> end(ssh::exec_id hunter) {
    const auto i = under_way_.find(hunter);
    if (i == under_way_.end())
      return std::nullopt;
    const ssh::exec_id victim = i->second;
    under_way_.erase(i);
    return victim;
  }

  /// The victim has been answered. Returns a hunter that is still after it, if there is one.
  std::optional<ssh::exec_id> forget(ssh::exec_id victim) {
    std::erase(wanted_, victim);
    const auto i = std::find_if(under_way_.begin(), under_way_.end(),
                                [=](const auto& hunt) { return hunt.second == victim; });
    if (i == under_way_.end())
      return std::nullopt;
    const ssh::exec_id hunter = i->first;
    under_way_.erase(i);
    return hunter;
  }

private:
  std::deque<ssh::exec_id> wanted_;
  /// Hunters and their victims.
  std::map<ssh::exec_id, ssh::exec_id> under_way_;
};

} // namespace sshexec
