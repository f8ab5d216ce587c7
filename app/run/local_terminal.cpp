#include "sshexec/app/run/local_terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace sshexec::app {

terminal like_local_terminal() {
  terminal result;
  if (const char* type = std::getenv("TERM"); type != nullptr && *type != '\0')
    result.type = type;
  winsize size{};
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
      result.columns = size.ws_col;
      result.rows = size.ws_row;
      break;
    }
  }
  return result;
}

raw_terminal::raw_terminal(bool wanted) {
  if (!wanted || ::tcgetattr(STDIN_FILENO, &previous_) != 0)
    return;
  raw_ = previous_;
  ::cfmakeraw(&raw_);
  termios with_signals = raw_;
  with_signals.c_lflag |= ISIG;
  if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &with_signals) == 0)
    stage_ = stage::connecting;
}

void raw_terminal::hand_over() {
  const std::lock_guard lock{mutex_};
  if (stage_ == stage::connecting && ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw_) == 0)
    stage_ = stage::handed_over;
}

void raw_terminal::restore() {
  const std::lock_guard lock{mutex_};
  if (std::exchange(stage_, stage::as_before) != stage::as_before)
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &previous_);
}

} // namespace sshexec::app
