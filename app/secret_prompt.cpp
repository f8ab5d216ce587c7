#include "sshexec/app/secret_prompt.hpp"

#include "sshexec/app/descriptors.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace sshexec::app {

namespace {

/// So that no part of it is left behind where it grew.
constexpr std::size_t longest_secret = 1024;

/// A terminal that shows nothing of what is typed, and gives each key as it is.
class silent_terminal {
public:
  explicit silent_terminal(int terminal) : terminal_(terminal) {
    is_silent_ = ::tcgetattr(terminal_, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    is_silent_ = is_silent_ && ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }

  silent_terminal(const silent_terminal&) = delete;
  silent_terminal& operator=(const silent_terminal&) = delete;

  ~silent_terminal() {
    if (is_silent_)
      ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

  [[nodiscard]] bool is_silent() const { return is_silent_; }

  /// Whether a key has this meaning (VINTR, VERASE and so on).
  [[nodiscard]] bool is(char key, int meaning) const {
    return before_.c_cc[meaning] != _POSIX_VDISABLE
           && static_cast<cc_t>(key) == before_.c_cc[meaning];
  }

private:
  int terminal_;
  termios before_{};
  bool is_silent_ = false;
};

/// The line that is typed; false if it was given up.
bool read_line(int descriptor, const silent_terminal& terminal, std::string& line) {
  for (;;) {
    char key = 0;
    const auto count = ::read(descriptor, &key, 1);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0 || terminal.is(key, VINTR) || terminal.is(key, VQUIT))
      return false;
    if (key == '\n' || key == '\r')
      return true;
    if (terminal.is(key, VEOF))
      return !line.empty();
    if (terminal.is(key, VERASE) || key == '\b') {
      if (!line.empty())
        line.pop_back();
    } else if (terminal.is(key, VKILL)) {
      line.clear();
    } else if (line.size() < longest_secret) {
      line += key;
    }
  }
}

} // namespace

tl::expected<ssh::secret, std::string> ask_for_secret(const std::string& prompt) {
  const ssh::file_descriptor device{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (!device)
    return tl::unexpected{std::string{"there is no terminal to ask for the password on"}};
  const silent_terminal terminal{device.get()};
  if (!terminal.is_silent())
    return tl::unexpected{std::string{"the terminal cannot be kept from showing a password"}};
  write_all(device.get(), prompt);
  std::string line;
  line.reserve(longest_secret);
  const bool was_given = read_line(device.get(), terminal, line);
  write_all(device.get(), "\n");
  ssh::secret result{std::move(line)};
  if (!was_given || result.empty())
    return tl::unexpected{std::string{"no password was given: nothing was run"}};
  return result;
}

} // namespace sshexec::app
