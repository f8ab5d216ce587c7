#pragma once

#include "sshexec/actors/pool/execution.hpp"

#include <caf/actor_addr.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace sshexec {

/// All commands of one machine that are not answered yet, and who is meant by a caller, a caller's
/// name for a command, or a consumer of output. Each look-up costs the logarithm of their number.
class command_ledger {
public:
  using stage = execution::stage;
  using ids = std::vector<ssh::exec_id>;

  /// A new one waits.
  execution& add(ssh::exec_id id, execution&& x);

  void remove(ssh::exec_id id);

  /// Null when it has been answered.
  [[nodiscard]] execution* find(ssh::exec_id id);

  execution& at(ssh::exec_id id) { return commands_.at(id); }

  /// The only way to change a stage.
  void move(ssh::exec_id id, stage to);

  /// Those at this stage, oldest first; valid until one of them moves.
  [[nodiscard]] const std::set<ssh::exec_id>& in(stage x) const { return stages_[index(x)]; }

  [[nodiscard]] bool empty() const { return commands_.empty(); }

  [[nodiscard]] std::size_t size() const { return commands_.size(); }

  /// How many have a channel.
  [[nodiscard]] std::size_t on_channels() const;

  /// Whether a tracked one has a channel.
  [[nodiscard]] bool tracks() const { return tracked_on_channels_ > 0; }

  /// Whose caller this is, and, if given, whom it means by this name (`meant_ids`);
  /// oldest first.
  [[nodiscard]] ids of_caller(const caf::actor_addr& caller) const;
  [[nodiscard]] ids of_caller(const caf::actor_addr& caller, const std::string& name) const;

  /// Nobody takes output for this consumer any more.
  void consumer_ended(const caf::actor_addr& consumer);

  /// All of them, or those whose request has this id: the one look-up that looks at each.
  [[nodiscard]] ids all() const;
  [[nodiscard]] ids with_id(const std::string& request_id) const;

private:
  static constexpr std::size_t stage_count = 6;

  static std::size_t index(stage x) { return static_cast<std::size_t>(x); }

  static bool is_on_channel(stage x) {
    return x == stage::opening || x == stage::running || x == stage::ending;
  }

  void count_tracked(const execution& x, int change);

  std::map<ssh::exec_id, execution> commands_;
  std::array<std::set<ssh::exec_id>, stage_count> stages_;
  int tracked_on_channels_ = 0;
  std::set<std::tuple<caf::actor_addr, std::string, ssh::exec_id>> by_caller_;
  std::set<std::pair<caf::actor_addr, ssh::exec_id>> by_consumer_;
};

} // namespace sshexec
