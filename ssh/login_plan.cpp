#include "sshexec/ssh/login_plan.hpp"

#include <algorithm>

namespace sshexec::ssh {

namespace {

bool is_password(const login_plan::step& x) {
  return x.what == login_plan::means::password || x.what == login_plan::means::keyboard_interactive;
}

login_method method_of(login_plan::means x) {
  switch (x) {
    case login_plan::means::password:
      return login_method::password;
    case login_plan::means::keyboard_interactive:
      return login_method::keyboard_interactive;
    default:
      return login_method::publickey;
  }
}

} // namespace

login_plan::login_plan(std::size_t keys, std::size_t agents, bool has_password) {
  for (std::size_t i = 0; i < keys; ++i)
    untried_.push_back({login_plan::means::key, i});
  for (std::size_t i = 0; i < agents; ++i)
    untried_.push_back({login_plan::means::agent, i});
  // The method that asks for a password by that name leaves no prompt to be misunderstood.
  if (has_password)
    untried_.insert(untried_.end(),
                    {{login_plan::means::password}, {login_plan::means::keyboard_interactive}});
}

std::deque<login_plan::step>::const_iterator login_plan::find_next() const {
  return std::find_if(untried_.begin(), untried_.end(), [this](const step& x) {
    return !open_ || open_->contains(method_of(x.what));
  });
}

login_plan::step login_plan::next() const {
  const auto found = find_next();
  if (found == untried_.end())
    return {};
  // A key costs nothing when it is not wanted; a password is given to whom asks for one.
  return !open_ && is_password(*found) ? step{login_plan::means::question} : *found;
}

login_plan::step login_plan::take_next() {
  const auto found = find_next();
  const step result = *found;
  untried_.erase(found);
  return result;
}

void login_plan::refused(const login_methods& open) {
  const step tried = take_next();
  if (is_password(tried))
    std::erase_if(untried_, is_password);
  else
    refused_.push_back(tried);
  if (!open.empty())
    open_ = open;
}

void login_plan::failed() {
  take_next();
}

void login_plan::accepted_partly(const login_methods& open) {
  const step tried = take_next();
  if (is_password(tried))
    std::erase_if(untried_, is_password);
  if (tried.what == login_plan::means::agent)
    untried_.push_front(tried);
  // Behind the keys, and before the passwords.
  const auto passwords = std::find_if(untried_.begin(), untried_.end(), is_password);
  untried_.insert(passwords, refused_.begin(), refused_.end());
  refused_.clear();
  open_ = open;
}

} // namespace sshexec::ssh
