#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <libssh/libssh.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sshexec::ssh {

/// What came of what a login offered, for people.
class login_report {
public:
  /// `passed_over` says what cannot be offered.
  login_report(std::string username, std::string passed_over)
    : username_(std::move(username)), failures_(std::move(passed_over)) {}

  /// The server was asked about a key, with its certificate or alone.
  void offered(const private_key& key, bool with_certificate);

  /// The server was asked about so many keys of an agent.
  void offered_of_agent(std::size_t count);

  /// The server was given the password.
  void offered_password();

  /// The server was asked what it takes.
  void asked() { was_asked_ = true; }

  /// The server accepted a key, or the password, and wanted more.
  void accepted_key() {
    ++keys_accepted_;
    count_before_step_ = count_;
  }

  void accepted_password() {
    password_ = fate::accepted;
    count_before_step_ = count_;
  }

  [[nodiscard]] bool has_accepted_password() const { return password_ == fate::accepted; }

  /// The server refused the password.
  void refused_password() { password_ = fate::refused; }

  /// A key or an agent was of no use on our side.
  void failed(const error& why);

  /// Something else that kept the login from succeeding.
  void remark(const std::string& text);

  /// How many keys the server was asked about since it last accepted something.
  [[nodiscard]] std::size_t keys_of_step() const { return count_ - count_before_step_; }

  /// What there was is refused, is not enough, or failed here.
  [[nodiscard]] error refusal(ssh_session session) const;

  /// The server ended the connection, saying so, instead of an answer.
  [[nodiscard]] error end(const std::string& farewell) const;

private:
  enum class fate : std::uint8_t { unsaid, said, accepted, refused };

  [[nodiscard]] error make(const std::string& what) const;
  [[nodiscard]] std::string accepted() const;
  void add_offer(const std::string& text);

  std::string username_;
  bool was_asked_ = false;
  std::size_t count_ = 0;
  std::size_t count_before_step_ = 0;
  std::size_t keys_accepted_ = 0;
  fate password_ = fate::unsaid;
  std::string offers_;
  std::string failures_;
  /// `file`, unless one of them may pass.
  error_kind kind_of_failures_ = error_kind::file;
};

} // namespace sshexec::ssh
