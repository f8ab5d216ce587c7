#pragma once

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/process.hpp"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

namespace sshexec::test {

/// A shell command line in a terminal of 90 by 30 characters.
class in_terminal {
public:
  explicit in_terminal(const std::string& line) {
    winsize size{30, 90, 0, 0};
    int terminal = -1;
    process_ = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (process_ == -1)
      throw std::system_error(errno, std::system_category(), "forkpty");
    if (process_ == 0) {
      ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      ::_exit(127);
    }
    terminal_ = ssh::file_descriptor{terminal};
  }

  in_terminal(const in_terminal&) = delete;
  in_terminal& operator=(const in_terminal&) = delete;

  ~in_terminal() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
  }

  /// Reads what is shown until it holds this text; false when it does not within a minute.
  [[nodiscard]] bool shows(const std::string& text) { return shows_behind(0, text); }

  /// The same behind so many bytes of it.
  [[nodiscard]] bool shows_behind(std::size_t place, const std::string& text) {
    while (shown_.find(text, place) == std::string::npos)
      if (!shows_more())
        return false;
    return true;
  }

  /// Whether what is typed is not echoed here.
  [[nodiscard]] bool is_raw() const {
    termios now{};
    return ::tcgetattr(terminal_.get(), &now) == 0 && (now.c_lflag & ECHO) == 0;
  }

  /// What has been read of it so far.
  [[nodiscard]] const std::string& shown() const { return shown_; }

  /// Reads what is shown until its end.
  void read_all() {
    while (shows_more()) {
    }
  }

  void type(const std::string& keys) const {
    [[maybe_unused]] const auto size = ::write(terminal_.get(), keys.data(), keys.size());
  }

  /// Its exit code; -1 when it does not end within a minute.
  int wait() {
    const auto end = testing::end_of(process_);
    pollfd ended{end.get(), POLLIN, 0};
    int status = 0;
    if (::poll(&ended, 1, 60'000) != 1 || ::waitpid(process_, &status, 0) != process_)
      return -1;
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  /// One byte more; false at the end, or when none comes for a minute.
  bool shows_more() {
    pollfd readable{terminal_.get(), POLLIN, 0};
    char next = 0;
    if (::poll(&readable, 1, 60'000) != 1 || ::read(terminal_.get(), &next, 1) != 1)
      return false;
    shown_ += next;
    return true;
  }

  pid_t process_ = 0;
  ssh::file_descriptor terminal_;
  std::string shown_;
};

} // namespace sshexec::test
