#pragma once

#include "sshexec/messages/command.hpp"

#include <termios.h>

#include <atomic>

namespace sshexec::app {

/// A terminal like the one that the tool runs in, as far as it runs in one.
terminal like_local_terminal();

/// Hands what is typed to the command as it is, control characters included: the terminal at the
/// other end echoes it, and turns Ctrl-C into a signal there.
class raw_terminal {
public:
  /// Does nothing where stdin is no terminal.
  explicit raw_terminal(bool wanted);
  raw_terminal(const raw_terminal&) = delete;
  raw_terminal& operator=(const raw_terminal&) = delete;

  ~raw_terminal() { restore(); }

  /// May be called from any thread.
  void restore();

private:
  termios previous_{};
  std::atomic<bool> is_raw_ = false;
};

} // namespace sshexec::app
