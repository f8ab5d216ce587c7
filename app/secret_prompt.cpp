#include "sshexec/app/secret_prompt.hpp"

#include "sshexec/actors/services/home.hpp"
#include "sshexec/app/descriptors.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

namespace sshexec::app {

namespace {

/// So that no part of it is left behind where it grew. A terminal gives no line of 4096 bytes
/// whole.
constexpr std::size_t longest_secret = 1024;

constexpr std::array ending_signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

volatile std::sig_atomic_t caught_signal = 0;

void note_signal(int number) {
  caught_signal = number;
}

/// Lets the signals that end a process wait, so that it can put its terminal in order first. Behind
/// this, the one that came does what it would have done.
class held_signals {
public:
  held_signals() {
    caught_signal = 0;
    sigset_t held;
    sigemptyset(&held);
    for (const int number : ending_signals)
      sigaddset(&held, number);
    ::pthread_sigmask(SIG_BLOCK, &held, &mask_before_);

    struct sigaction action {};

    action.sa_handler = note_signal;
    for (std::size_t i = 0; i < ending_signals.size(); ++i) {
      ::sigaction(ending_signals[i], nullptr, &before_[i]);
      // One that is ignored, as by nohup(1), stays so.
      if (before_[i].sa_handler != SIG_IGN)
        ::sigaction(ending_signals[i], &action, nullptr);
    }
  }

  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;

  ~held_signals() {
    for (std::size_t i = 0; i < ending_signals.size(); ++i)
      ::sigaction(ending_signals[i], &before_[i], nullptr);
    if (caught_signal != 0)
      ::raise(caught_signal);
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  /// Waits for input; false when a signal came, or nothing can.
  [[nodiscard]] bool wait_for_input(int descriptor) const {
    pollfd readable{descriptor, POLLIN, 0};
    while (caught_signal == 0) {
      if (::ppoll(&readable, 1, nullptr, &mask_before_) > 0)
        return true;
      if (errno != EINTR)
        return false;
    }
    return false;
  }

private:
  sigset_t mask_before_{};
  std::array<struct sigaction, ending_signals.size()> before_{};
};

/// A terminal that shows nothing of what is typed. Its keys mean what they always do, save the one
/// that stops: the shell would go on with a terminal that shows nothing.
class silent_terminal {
public:
  explicit silent_terminal(int terminal) : terminal_(terminal) {
    is_silent_ = ::tcgetattr(terminal_, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    silent.c_lflag |= ICANON;
    silent.c_iflag |= ICRNL;
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;
    is_silent_ = is_silent_ && ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }

  silent_terminal(const silent_terminal&) = delete;
  silent_terminal& operator=(const silent_terminal&) = delete;

  ~silent_terminal() {
    if (is_silent_)
      ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

  [[nodiscard]] bool is_silent() const { return is_silent_; }

private:
  int terminal_;
  termios before_{};
  bool is_silent_ = false;
};

/// A line, as far as it is no longer than one byte too many; nothing if it cannot be read, or
/// `wait` says that it is given up.
template <class Wait>
std::optional<ssh::secret> read_line(int descriptor, Wait wait) {
  std::string line;
  line.reserve(longest_secret + 1);
  char next = 0;
  while (wait()) {
    const auto count = ::read(descriptor, &next, 1);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      break;
    if (count == 0 || next == '\n')
      return ssh::secret{std::move(line)};
    if (line.size() <= longest_secret)
      line += next;
  }
  ssh::wipe(line);
  return std::nullopt;
}

tl::unexpected<std::string> no_secret(const std::string& text) {
  return tl::unexpected{text};
}

} // namespace

tl::expected<ssh::secret, std::string> ask_for_secret(const std::string& prompt) {
  const ssh::file_descriptor device{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (!device)
    return no_secret("there is no terminal to ask for the password on");
  const held_signals signals;
  const silent_terminal terminal{device.get()};
  if (!terminal.is_silent())
    return no_secret("the terminal cannot be kept from showing a password");
  write_all(device.get(), prompt);
  auto answer = read_line(device.get(), [&] { return signals.wait_for_input(device.get()); });
  write_all(device.get(), "\n");
  if (!answer || answer->empty())
    return no_secret("no password was given: nothing was run");
  if (answer->text().size() > longest_secret)
    return no_secret("the password is too long: nothing was run");
  return std::move(*answer);
}

tl::expected<ssh::secret, std::string> read_secret(const std::string& file) {
  const ssh::file_descriptor descriptor{
    ::open(expand_home(file).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  auto line = descriptor ? read_line(descriptor.get(), [] { return true; }) : std::nullopt;
  const int code = errno;
  if (!line)
    return no_secret("Password file " + file
                     + " cannot be read: " + std::system_category().message(code));
  if (line->text().ends_with('\r'))
    line = ssh::secret{line->text().substr(0, line->text().size() - 1)};
  if (line->empty())
    return no_secret("Password file " + file + " is empty");
  if (line->text().size() > longest_secret)
    return no_secret("the password in " + file + " is too long");
  return std::move(*line);
}

} // namespace sshexec::app
