#pragma once

#include "sshexec/ssh/agent_client.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <libssh/libssh.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sshexec::ssh {

/// Authenticates a session with the keys of an SSH agent (draft-miller-ssh-agent), without
/// blocking.
///
/// libssh asks an agent itself, and waits for its answer, for ever if need be. So it gets a socket
/// pair for an agent, that answers at once with what is known already: first the one key that is to
/// be offered next, and then nothing, so that libssh gives up when it wants a signature by the key
/// that the server accepted. What it wanted signed is then signed by the agent, however long that
/// takes, and libssh is let go the same way again, with the signature ready.
class agent_authentication {
public:
  agent_authentication(ssh_session session, std::string username, const std::string& agent_socket,
                       poller& sockets, const poller::notify_function& notify);
  agent_authentication(const agent_authentication&) = delete;
  agent_authentication& operator=(const agent_authentication&) = delete;
  /// To be called before the session is freed.
  ~agent_authentication();

  /// `SSH_AUTH_AGAIN` as long as the server or the agent is waited for; `SSH_AUTH_SUCCESS`;
  /// `SSH_AUTH_DENIED` when no key is left, or the server takes no keys; `SSH_AUTH_PARTIAL`;
  /// `SSH_AUTH_ERROR` when the session is over. Behind those two it can be advanced again, once the
  /// server takes keys for its next step: it offers all that the server did not accept.
  int advance();

  /// Whether the agent is waited for, and nothing is wanted from the server.
  [[nodiscard]] bool waits_for_agent() const;

  /// Keys that the server was asked about since the last call.
  [[nodiscard]] std::size_t take_offered() { return std::exchange(offered_, 0); }

  /// Why the agent was of no use, if that was so.
  [[nodiscard]] const std::optional<error>& trouble() const { return trouble_; }

private:
  enum class step : std::uint8_t {
    /// The agent lists its keys.
    listing,
    /// The server is asked whether it accepts the key.
    offering,
    /// The agent signs.
    signing,
    /// The signature is with the server.
    proving,
    /// Nothing is left to be offered for now.
    over,
  };

  bool hear_agent();
  void listed(std::string_view answer);
  void signed_by(std::string_view answer);
  void offer_next();
  void offer_refused_again();
  void ask_for_signature();
  void give_up(error why);
  bool lend(std::string_view signature);
  [[nodiscard]] std::string taken_request();

  ssh_session session_;
  std::string username_;
  agent_client agent_;
  step step_ = step::listing;
  /// Those that the server was not asked about yet, as blobs (RFC 4253 §6.6); the last is next.
  std::vector<std::string> keys_;
  std::vector<std::string> refused_;
  /// The one that it is asked about.
  std::string chosen_;
  /// Our end of the pair that libssh takes for its agent, and the end that libssh has; it closes
  /// none that it was given anew.
  file_descriptor our_end_;
  file_descriptor lent_end_;
  std::size_t offered_ = 0;
  std::optional<error> trouble_;
};

} // namespace sshexec::ssh
