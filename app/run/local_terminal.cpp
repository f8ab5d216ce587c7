#include "sshexec/app/run/local_terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

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
  termios raw = previous_;
  ::cfmakeraw(&raw);
  is_raw_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void raw_terminal::restore() {
  if (is_raw_.exchange(false))
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &previous_);
}

} // namespace sshexec::app
