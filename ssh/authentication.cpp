#include "sshexec/ssh/authentication.hpp"

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/handles.hpp"

#include <cerrno>
#include <utility>

namespace sshexec::ssh {

namespace {

// RFC 4253 §11.1.
constexpr unsigned disconnect_protocol_error = 2;
constexpr unsigned disconnect_no_more_auth_methods = 14;

} // namespace

authentication::authentication(ssh_session session, const connection_settings& settings,
                               const session_traffic& traffic, poller& sockets,
                               poller::notify_function notify)
  : session_(session),
    settings_(settings),
    traffic_(traffic),
    sockets_(sockets),
    notify_(std::move(notify)),
    report_(settings.username, settings.passed_over) {}

authentication::progress authentication::advance() {
  const progress result = try_keys();
  return result == progress::refused && !is_half_way_ ? try_agents() : result;
}

authentication::progress authentication::try_keys() {
  for (; next_key_ < settings_.keys.size(); ++next_key_) {
    const private_key& key = settings_.keys[next_key_];
    const int status = traffic_.repeat(SSH_AUTH_AGAIN, [&] {
      return ssh_userauth_publickey(session_, settings_.username.c_str(), key.get());
    });
    if (!is_usable(session_))
      return progress::broken;
    if (status == SSH_AUTH_AGAIN)
      return progress::waiting;
    if (status == SSH_AUTH_SUCCESS)
      return progress::accepted;
    if (status == SSH_AUTH_ERROR)
      report_.failed({error_kind::file, key.name + " cannot be used: " + ssh_get_error(session_)});
    else
      report_.offered(key);
    is_half_way_ = status == SSH_AUTH_PARTIAL;
    if (is_half_way_)
      break;
  }
  return progress::refused;
}

authentication::progress authentication::try_agents() {
  for (; next_agent_ < settings_.agents.size(); ++next_agent_) {
    if (!agent_)
      agent_.emplace(session_, settings_.username, settings_.agents[next_agent_], sockets_,
                     notify_);
    const int status = agent_->advance();
    if (!is_usable(session_))
      return progress::broken;
    if (status == SSH_AUTH_AGAIN)
      return progress::waiting;
    if (status == SSH_AUTH_SUCCESS)
      return progress::accepted;
    report_.offered_of_agent(agent_->offered());
    if (agent_->trouble())
      report_.failed(*agent_->trouble());
    is_half_way_ = status == SSH_AUTH_PARTIAL;
    if (is_half_way_)
      break;
    agent_.reset();
  }
  return progress::refused;
}

error authentication::refusal() const {
  return is_half_way_ ? report_.half_way(session_) : report_.refusal(session_);
}

std::optional<error> authentication::refusal_by_end(const std::string& text, unsigned reason) {
  report_open_offer();
  return is_refusal(text, reason) ? std::optional{report_.end(text)} : std::nullopt;
}

/// What the server was asked about and did not answer.
void authentication::report_open_offer() {
  if (next_key_ < settings_.keys.size())
    report_.offered(settings_.keys[next_key_]);
  else if (agent_)
    report_.offered_of_agent(agent_->offered());
}

/// Whether a connection that ended had come to so many keys that the server took no more. A network
/// that failed just then would be told in the same way, save by its silence.
bool authentication::is_refusal(const std::string& text, unsigned reason) const {
  if (reason != 0)
    return reason == disconnect_no_more_auth_methods || reason == disconnect_protocol_error;
  const bool refused_some = report_.count() > 1;
  const bool fell_silent = text.ends_with(from_errno(ETIMEDOUT).text);
  return refused_some && !fell_silent;
}

} // namespace sshexec::ssh
