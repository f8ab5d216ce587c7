#pragma once

#include "sshexec/ssh/agent_authentication.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/login_report.hpp"
#include "sshexec/ssh/session_traffic.hpp"

#include <libssh/libssh.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sshexec::ssh {

/// The login of one session (RFC 4252), without blocking: offers the server what the settings have,
/// one after another.
class authentication {
public:
  enum class progress : std::uint8_t {
    /// For the server, or an agent.
    waiting,
    accepted,
    /// `refusal` says why.
    refused,
    /// The session is over.
    broken,
  };

  /// All but `notify` must outlive it.
  authentication(ssh_session session, const connection_settings& settings,
                 const session_traffic& traffic, poller& sockets, poller::notify_function notify);

  progress advance();

  /// Whether an agent is waited for, and nothing is wanted from the server.
  [[nodiscard]] bool waits_for_agent() const { return agent_ && agent_->waits_for_agent(); }

  [[nodiscard]] error refusal() const;

  /// The refusal, if that is what the end of the session means, told by libssh in this text, and by
  /// the server with this reason (RFC 4253 §11.1; 0: with none).
  [[nodiscard]] std::optional<error> refusal_by_end(const std::string& text, unsigned reason);

private:
  progress try_keys();
  progress try_agents();
  void report_open_offer();
  [[nodiscard]] bool is_refusal(const std::string& text, unsigned reason) const;

  ssh_session session_;
  const connection_settings& settings_;
  const session_traffic& traffic_;
  poller& sockets_;
  poller::notify_function notify_;
  std::size_t next_key_ = 0;
  std::size_t next_agent_ = 0;
  /// The agent that is asked.
  std::optional<agent_authentication> agent_;
  login_report report_;
  /// Whether something was accepted, and is not enough.
  bool is_half_way_ = false;
};

} // namespace sshexec::ssh
