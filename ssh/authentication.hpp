#pragma once

#include "sshexec/ssh/agent_authentication.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/login_plan.hpp"
#include "sshexec/ssh/login_report.hpp"
#include "sshexec/ssh/session_traffic.hpp"

#include <libssh/libssh.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::ssh {

/// The login of one session (RFC 4252), without blocking: offers the server what the settings have,
/// in the order of its plan.
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
  [[nodiscard]] bool waits_for_agent() const;

  [[nodiscard]] error refusal() const { return report_.refusal(session_); }

  /// Whether the server was given the password and has not accepted it: another attempt would say a
  /// password again that may be wrong.
  [[nodiscard]] bool has_password_in_doubt() const {
    return said_password_ && !report_.has_accepted_password();
  }

  /// What the server said, as far as it can be shown: some repeat what they were given.
  [[nodiscard]] std::string cleaned(std::string text) const;

  /// The refusal, if that is what the end of the session means, told by libssh in this text, and by
  /// the server with this reason (RFC 4253 §11.1; 0: with none).
  [[nodiscard]] std::optional<error> refusal_by_end(const std::string& text, unsigned reason);

private:
  /// A key may be offered twice: with its certificate, and alone.
  struct offer {
    const private_key* key = nullptr;
    bool with_certificate = false;
  };

  static std::vector<offer> offers_of(const private_keys& keys);
  int try_step(const login_plan::step& step);
  int try_key(std::size_t index);
  int try_agent(std::size_t index);
  int try_password();
  int try_prompts();
  bool answer_prompts();
  void conclude(const login_plan::step& step, int status);
  void conclude_password(const login_plan::step& step, int status, const login_methods& open);
  void report(const login_plan::step& step);
  [[nodiscard]] bool is_refusal(const std::string& text, unsigned reason) const;

  ssh_session session_;
  const connection_settings& settings_;
  const session_traffic& traffic_;
  poller& sockets_;
  poller::notify_function notify_;
  std::vector<offer> offers_;
  login_plan plan_;
  /// Those that were asked so far, which may have more keys for another step.
  std::map<std::size_t, agent_authentication> agents_;
  login_report report_;
  bool said_password_ = false;
  /// The prompt that the password was the answer to.
  std::string answered_prompt_;
  /// Whether that prompt came again.
  bool was_asked_again_ = false;
  unsigned rounds_of_prompts_ = 0;
};

} // namespace sshexec::ssh
