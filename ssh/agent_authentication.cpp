#include "sshexec/ssh/agent_authentication.hpp"

#include "sshexec/ssh/handles.hpp"
#include "sshexec/ssh/wire_format.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

namespace sshexec::ssh {

namespace {

// draft-miller-ssh-agent §5.1.
constexpr char request_identities = 11;
constexpr char identities_answer = 12;
constexpr char sign_request = 13;
constexpr char sign_response = 14;

/// Fits into a socket's buffer, and no key comes near it.
constexpr std::size_t longest_key = std::size_t{32} * 1024;

/// Whether libssh can read a public key of this blob's type: it ends its list at the first that it
/// cannot.
bool is_supported(std::string_view blob) {
  const auto type = take_string(blob);
  if (!type)
    return false;
  const auto known = ssh_key_type_from_name(std::string{*type}.c_str());
  return known != SSH_KEYTYPE_UNKNOWN && known != SSH_KEYTYPE_DSS;
}

/// The list of this one key.
std::string list_of(std::string_view key) {
  std::string result(1, identities_answer);
  append_uint32(result, 1);
  append_string(result, key);
  // The key's comment.
  append_string(result, {});
  return result;
}

/// As far as the server has told.
bool takes_keys(ssh_session session) {
  const int methods = ssh_userauth_list(session, nullptr);
  return methods == 0 || (methods & SSH_AUTH_METHOD_PUBLICKEY) != 0;
}

bool is(std::string_view message, char type) {
  return !message.empty() && message.front() == type;
}

} // namespace

agent_authentication::agent_authentication(ssh_session session, std::string username,
                                           const std::string& agent_socket, poller& sockets,
                                           const poller::notify_function& notify)
  : session_(session), username_(std::move(username)), agent_(agent_socket, sockets, notify) {
  agent_.ask({&request_identities, 1});
}

agent_authentication::~agent_authentication() {
  if (lent_end_)
    ssh_set_agent_socket(session_, -1);
}

bool agent_authentication::waits_for_agent() const {
  return step_ == step::listing || step_ == step::signing;
}

int agent_authentication::advance() {
  if (step_ == step::over && !trouble_)
    offer_refused_again();
  while (step_ != step::over) {
    if (waits_for_agent()) {
      if (!hear_agent())
        return SSH_AUTH_AGAIN;
      continue;
    }
    const int status = ssh_userauth_agent(session_, username_.c_str());
    if (status == SSH_AUTH_PARTIAL)
      step_ = step::over;
    if (status != SSH_AUTH_ERROR && status != SSH_AUTH_DENIED)
      return status;
    if (!is_usable(session_))
      return SSH_AUTH_ERROR;
    // A key whose signature did not help makes way for the next ones.
    if (step_ == step::proving) {
      refused_.push_back(std::move(chosen_));
      offer_next();
    } else {
      ask_for_signature();
    }
  }
  return SSH_AUTH_DENIED;
}

bool agent_authentication::hear_agent() {
  auto answer = agent_.advance();
  if (!answer)
    return false;
  if (!*answer)
    give_up(std::move(answer->error()));
  else if (step_ == step::listing)
    listed(**answer);
  else
    signed_by(**answer);
  return true;
}

void agent_authentication::listed(std::string_view answer) {
  if (!is(answer, identities_answer))
    return give_up({error_kind::file, "The SSH agent does not list its keys"});
  answer.remove_prefix(1);
  for (auto left = take_uint32(answer).value_or(0); left > 0; --left) {
    const auto key = take_string(answer);
    if (!key || !take_string(answer))
      break;
    if (is_supported(*key) && key->size() <= longest_key)
      keys_.emplace_back(*key);
  }
  if (keys_.empty())
    return give_up({error_kind::file, "The SSH agent holds no key"});
  std::reverse(keys_.begin(), keys_.end());
  offer_next();
}

void agent_authentication::offer_next() {
  step_ = step::over;
  if (keys_.empty() || !takes_keys(session_))
    return;
  chosen_ = std::move(keys_.back());
  keys_.pop_back();
  if (!lend({}))
    return give_up({file_error_kind(errno), "The keys of the SSH agent cannot be offered"});
  ++offered_;
  step_ = step::offering;
}

/// Behind those that it was not asked about.
void agent_authentication::offer_refused_again() {
  std::reverse(refused_.begin(), refused_.end());
  keys_.insert(keys_.begin(), std::move_iterator{refused_.begin()},
               std::move_iterator{refused_.end()});
  refused_.clear();
  offer_next();
}

void agent_authentication::ask_for_signature() {
  const std::string request = taken_request();
  // Nothing is to be signed when the server refused the key.
  if (!is(request, sign_request)) {
    refused_.push_back(std::move(chosen_));
    return offer_next();
  }
  step_ = step::signing;
  agent_.ask(request);
}

void agent_authentication::signed_by(std::string_view answer) {
  if (is(answer, sign_response)) {
    if (!lend(answer))
      return give_up({file_error_kind(errno), "The keys of the SSH agent cannot be offered"});
    step_ = step::proving;
    return;
  }
  trouble_ = {error_kind::file, "The SSH agent did not sign with the key that the server accepts"};
  offer_next();
}

void agent_authentication::give_up(error why) {
  trouble_ = std::move(why);
  step_ = step::over;
}

bool agent_authentication::lend(std::string_view signature) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return false;
  our_end_ = file_descriptor{ends[0]};
  file_descriptor their_end{ends[1]};
  std::string answers;
  append_string(answers, list_of(chosen_));
  if (!signature.empty())
    append_string(answers, signature);
  const auto sent
    = ::send(our_end_.get(), answers.data(), answers.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  // Behind these answers, libssh reads the end and does not wait.
  if (sent != static_cast<ssize_t>(answers.size()) || ::shutdown(our_end_.get(), SHUT_WR) != 0
      || ssh_set_agent_socket(session_, their_end.get()) != SSH_OK)
    return false;
  lent_end_ = std::move(their_end);
  return true;
}

std::string agent_authentication::taken_request() {
  std::string taken;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto count = ::recv(our_end_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count <= 0)
      break;
    taken.append(buffer.data(), static_cast<std::size_t>(count));
  }
  // The question for the list, and what is to be signed.
  std::string_view rest = taken;
  take_string(rest);
  return std::string{take_string(rest).value_or("")};
}

} // namespace sshexec::ssh
