#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <libssh/libssh.h>

#include <cstddef>
#include <string>
#include <utility>

namespace sshexec::ssh {

/// What came of the keys of a login, for people.
class login_report {
public:
  /// `passed_over` says what cannot be offered.
  login_report(std::string username, std::string passed_over)
    : username_(std::move(username)), failures_(std::move(passed_over)) {}

  /// The server was asked about a key.
  void offered(const private_key& key);

  /// The server was asked about so many keys of an agent.
  void offered_of_agent(std::size_t count);

  /// A key or an agent was of no use on our side.
  void failed(const error& why);

  /// How many keys the server was asked about.
  [[nodiscard]] std::size_t count() const { return count_; }

  /// Every key was refused, or failed here.
  [[nodiscard]] error refusal(ssh_session session) const;

  /// A key was accepted, and is not enough.
  [[nodiscard]] error half_way(ssh_session session) const;

  /// The server ended the connection, saying so, instead of an answer.
  [[nodiscard]] error end(const std::string& farewell) const;

private:
  [[nodiscard]] error make(const std::string& what) const;

  std::string username_;
  std::size_t count_ = 0;
  std::string offers_;
  std::string failures_;
  /// `file`, unless one of them may pass.
  error_kind kind_of_failures_ = error_kind::file;
};

} // namespace sshexec::ssh
