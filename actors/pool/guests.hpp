#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/connection.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace sshexec {

/// Where a stream through a jump is to lead, and how long somebody waits for it.
struct tunnel_request {
  ssh::forward_request to;
  time_point give_up_at;
};

/// The streams through the connection of a machine that is a jump for others: wanted, being opened,
/// or there. A jump with guests is in use.
class guests {
public:
  void add(tunnel_request what, reply<tunnel> answer);

  /// Forgets those whose time is over. Nobody reads their answers.
  void forget_late(time_point now);

  /// Whether somebody waits for the connection.
  [[nodiscard]] bool any_waits() const { return !waiting_.empty(); }

  /// Whether the connection carries a stream, or will.
  [[nodiscard]] bool any_on_connection() const { return !opening_.empty() || !open_.empty(); }

  [[nodiscard]] bool empty() const { return !any_waits() && !any_on_connection(); }

  /// The next that waits is being opened from here on.
  std::optional<std::pair<ssh::forward_id, ssh::forward_request>> open_next();

  void opened(ssh::forward_id id, tunnel stream);
  void refused(ssh::forward_id id, const setback& reason);

  void closed(ssh::forward_id id) { open_.erase(id); }

  /// The attempt that they waited for failed.
  void attempt_failed(const setback& reason);

  /// Streams have ended with their connection.
  void connection_lost(const setback& reason);

  /// Who has a stream keeps it.
  void shut_down(const setback& reason);

  /// Nobody waits for the ends of streams any more.
  void forget_open() { open_.clear(); }

private:
  struct guest {
    tunnel_request what;
    reply<tunnel> answer;
  };

  using queue = std::map<ssh::forward_id, guest>;

  static void fail_all(queue& those, const setback& reason);

  ssh::forward_id last_id_ = 0;
  queue waiting_;
  queue opening_;
  std::set<ssh::forward_id> open_;
};

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::tunnel_request)
