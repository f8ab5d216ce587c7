#pragma once

#include "sshexec/messages/command.hpp"

#include <termios.h>

#include <cstdint>
#include <mutex>

namespace sshexec::app {

/// A terminal like the one that the tool runs in, as far as it runs in one.
terminal like_local_terminal();

/// Hands what is typed to the command as it is: the terminal at the other end echoes it. Until the
/// command is known to run, Ctrl-C is a signal to the tool; then it becomes one at the other end.
class raw_terminal {
public:
  /// Does nothing where stdin is no terminal.
  explicit raw_terminal(bool wanted);
  raw_terminal(const raw_terminal&) = delete;
  raw_terminal& operator=(const raw_terminal&) = delete;

  ~raw_terminal() { restore(); }

  /// The command runs: keys such as Ctrl-C are its own from now on. May be called from any thread,
  /// and several times.
  void hand_over();

  /// May be called from any thread.
  void restore();

private:
  enum class stage : std::uint8_t { as_before, connecting, handed_over };

  std::mutex mutex_;
  stage stage_ = stage::as_before;
  termios previous_{};
  termios raw_{};
};

} // namespace sshexec::app
