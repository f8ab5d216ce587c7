#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <vector>

namespace sshexec::ssh {

/// Ways to log in that we know (RFC 4252 §7, §8; RFC 4256).
enum class login_method : std::uint8_t { publickey, password, keyboard_interactive };

using login_methods = std::set<login_method>;

/// What is offered to a server, and in which order, as its answers come in. A server may want
/// several proofs (RFC 4252 §5.1, partial success): each is given once, and what it refused before
/// may be what it wants next. A password goes out once, whatever becomes of it: a server counts
/// each wrong one, and may lock the account.
class login_plan {
public:
  enum class means : std::uint8_t {
    key,
    agent,
    password,
    keyboard_interactive,
    /// The server is asked which methods it takes, by the method "none" (RFC 4252 §5.2).
    question,
    /// Nothing is left.
    nothing,
  };

  struct step {
    means what = means::nothing;
    /// Of the key, or the agent.
    std::size_t index = 0;

    bool operator==(const step&) const = default;
  };

  login_plan(std::size_t keys, std::size_t agents, bool has_password);

  /// What to do; the same until it is told what came of it.
  [[nodiscard]] step next() const;

  /// The server refused it, and takes these methods; none: it did not say.
  void refused(const login_methods& open);

  /// It was of no use on our side; a password stays unsaid.
  void failed();

  /// The server accepted it, and wants another proof by one of these methods. Of an agent, other
  /// keys are left.
  void accepted_partly(const login_methods& open);

  /// The server answered the question.
  void answered(const login_methods& open) { open_ = open; }

private:
  [[nodiscard]] std::deque<step>::const_iterator find_next() const;
  step take_next();

  std::deque<step> untried_;
  std::vector<step> refused_;
  /// As far as the server has told.
  std::optional<login_methods> open_;
};

} // namespace sshexec::ssh
