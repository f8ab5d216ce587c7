#include "sshexec/ssh/authentication.hpp"

#include "sshexec/ssh/disconnect_reason.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/handles.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Nobody tells so much one after another.
constexpr unsigned most_rounds_of_prompts = 16;

bool takes_password(login_plan::means x) {
  return x == login_plan::means::password || x == login_plan::means::keyboard_interactive;
}

login_methods open_methods(ssh_session session) {
  const int methods = ssh_userauth_list(session, nullptr);
  login_methods result;
  const auto add = [&](int number, login_method method) {
    if ((methods & number) != 0)
      result.insert(method);
  };
  add(SSH_AUTH_METHOD_PUBLICKEY, login_method::publickey);
  add(SSH_AUTH_METHOD_PASSWORD, login_method::password);
  add(SSH_AUTH_METHOD_INTERACTIVE, login_method::keyboard_interactive);
  return result;
}

/// So much of what a server says is shown.
constexpr std::size_t longest_prompt = 80;
constexpr std::size_t longest_farewell = 250;

std::string printable_part(std::string_view text, std::size_t longest) {
  std::string result{text.substr(0, longest)};
  std::replace_if(
    result.begin(), result.end(), [](unsigned char x) { return x < ' ' || x > '~'; }, ' ');
  result.erase(result.find_last_not_of(' ') + 1);
  return result;
}

} // namespace

authentication::authentication(ssh_session session, const connection_settings& settings,
                               const session_traffic& traffic, poller& sockets,
                               poller::notify_function notify)
  : session_(session),
    settings_(settings),
    traffic_(traffic),
    sockets_(sockets),
    notify_(std::move(notify)),
    offers_(offers_of(settings.keys)),
    plan_(offers_.size(), settings.agents.size(), !settings.password.empty()),
    report_(settings.username, settings.passed_over) {}

std::vector<authentication::offer> authentication::offers_of(const private_keys& keys) {
  std::vector<offer> result;
  for (const private_key& key : keys) {
    if (key.certified)
      result.push_back({&key, true});
    result.push_back({&key, false});
  }
  return result;
}

authentication::progress authentication::advance() {
  for (auto step = plan_.next(); step.what != login_plan::means::nothing; step = plan_.next()) {
    const int status = try_step(step);
    if (!is_usable(session_))
      return progress::broken;
    if (status == SSH_AUTH_AGAIN)
      return progress::waiting;
    if (status == SSH_AUTH_SUCCESS)
      return progress::accepted;
    conclude(step, status);
  }
  return progress::refused;
}

bool authentication::waits_for_agent() const {
  return std::any_of(agents_.begin(), agents_.end(),
                     [](const auto& x) { return x.second.waits_for_agent(); });
}

int authentication::try_step(const login_plan::step& step) {
  switch (step.what) {
    case login_plan::means::key:
      return try_key(step.index);
    case login_plan::means::agent:
      return try_agent(step.index);
    case login_plan::means::password:
      return try_password();
    case login_plan::means::keyboard_interactive:
      return try_prompts();
    case login_plan::means::question:
      return traffic_.repeat(
        SSH_AUTH_AGAIN, [this] { return ssh_userauth_none(session_, settings_.username.c_str()); });
    case login_plan::means::nothing:
      break;
  }
  return SSH_AUTH_DENIED;
}

int authentication::try_key(std::size_t index) {
  const offer& chosen = offers_[index];
  const ssh_key key = chosen.with_certificate ? chosen.key->certified.get() : chosen.key->get();
  return traffic_.repeat(SSH_AUTH_AGAIN, [&] {
    return ssh_userauth_publickey(session_, settings_.username.c_str(), key);
  });
}

int authentication::try_agent(std::size_t index) {
  return agents_
    .try_emplace(index, session_, settings_.username, settings_.agents[index], sockets_, notify_)
    .first->second.advance();
}

int authentication::try_password() {
  said_password_ = true;
  return traffic_.repeat(SSH_AUTH_AGAIN, [this] {
    return ssh_userauth_password(session_, settings_.username.c_str(),
                                 settings_.password.text().c_str());
  });
}

/// As long as the server only tells something, or asks for nothing but the password.
int authentication::try_prompts() {
  for (;;) {
    const int status = traffic_.repeat(SSH_AUTH_AGAIN, [this] {
      return ssh_userauth_kbdint(session_, settings_.username.c_str(), nullptr);
    });
    if (status != SSH_AUTH_INFO)
      return status;
    if (!answer_prompts())
      return SSH_AUTH_ERROR;
  }
}

bool authentication::answer_prompts() {
  const int count = ssh_userauth_kbdint_getnprompts(session_);
  if (count <= 0)
    return count == 0 && ++rounds_of_prompts_ < most_rounds_of_prompts;
  char is_shown = 0;
  const char* text = ssh_userauth_kbdint_getprompt(session_, 0, &is_shown);
  const std::string prompt = text ? text : "";
  if (count == 1 && is_shown == 0 && !std::exchange(said_password_, true)) {
    answered_prompt_ = prompt;
    return ssh_userauth_kbdint_setanswer(session_, 0, settings_.password.text().c_str()) == 0;
  }
  // As servers do that let people try again.
  was_asked_again_ = count == 1 && is_shown == 0 && prompt == answered_prompt_;
  if (!was_asked_again_)
    report_.remark("the server asks what the password does not answer: \""
                   + printable_part(cleaned(prompt), longest_prompt) + '"');
  return false;
}

std::string authentication::cleaned(std::string text) const {
  constexpr std::string_view hidden = "***";
  const std::string& password = settings_.password.text();
  if (!said_password_)
    return text;
  for (auto i = text.find(password); i != std::string::npos;
       i = text.find(password, i + hidden.size()))
    text.replace(i, password.size(), hidden);
  return text;
}

void authentication::conclude(const login_plan::step& step, int status) {
  const auto open = open_methods(session_);
  if (step.what == login_plan::means::question) {
    report_.asked();
    return plan_.answered(open);
  }
  if (step.what == login_plan::means::key && status == SSH_AUTH_ERROR) {
    report_.failed({error_kind::file,
                    offers_[step.index].key->name + " cannot be used: " + ssh_get_error(session_)});
    return plan_.failed();
  }
  report(step);
  if (takes_password(step.what))
    return conclude_password(step, status, open);
  if (status != SSH_AUTH_PARTIAL)
    return plan_.refused(open);
  report_.accepted_key();
  plan_.accepted_partly(open);
}

void authentication::conclude_password(const login_plan::step& step, int status,
                                       const login_methods& open) {
  if (status == SSH_AUTH_PARTIAL) {
    report_.accepted_password();
    return plan_.accepted_partly(open);
  }
  if (!said_password_)
    return plan_.failed();
  if (status == SSH_AUTH_DENIED || was_asked_again_)
    report_.refused_password();
  // RFC 4252 §8, SSH_MSG_USERAUTH_PASSWD_CHANGEREQ: all that libssh takes for an error here.
  else if (step.what == login_plan::means::password)
    report_.remark("the server wants the password to be changed");
  plan_.refused(open);
}

/// What the server was asked about.
void authentication::report(const login_plan::step& step) {
  switch (step.what) {
    case login_plan::means::key:
      return report_.offered(*offers_[step.index].key, offers_[step.index].with_certificate);
    case login_plan::means::agent: {
      const auto agent = agents_.find(step.index);
      if (agent == agents_.end())
        return;
      report_.offered_of_agent(agent->second.take_offered());
      if (agent->second.trouble())
        report_.failed(*agent->second.trouble());
      return;
    }
    case login_plan::means::password:
    case login_plan::means::keyboard_interactive:
      if (said_password_)
        report_.offered_password();
      return;
    case login_plan::means::question:
    case login_plan::means::nothing:
      return;
  }
}

std::optional<error> authentication::refusal_by_end(const std::string& text, unsigned reason) {
  report(plan_.next());
  if (!is_refusal(text, reason))
    return std::nullopt;
  return report_.end(printable_part(cleaned(text), longest_farewell));
}

/// Whether a connection that ended had come to so many keys that the server took no more, or to a
/// password, which may have been a wrong one and must not be said again unasked. A network that
/// failed just then would be told in the same way; where only keys are at stake, its silence tells
/// it apart.
bool authentication::is_refusal(const std::string& text, unsigned reason) const {
  if (has_password_in_doubt())
    return true;
  if (reason != 0)
    return reason == disconnect_reason::no_more_auth_methods
           || reason == disconnect_reason::protocol_error;
  const bool fell_silent = text.ends_with(from_errno(ETIMEDOUT).text);
  return report_.keys_of_step() > 1 && !fell_silent;
}

} // namespace sshexec::ssh
