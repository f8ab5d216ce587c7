#pragma once

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace sshexec::test {

/// A place where remote commands leave files for the test, and a pipe in it through which they say
/// that they are running: reading a line waits for a command that writes one.
class meeting_place {
public:
  meeting_place() {
    std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
    ::mkfifo(pipe().c_str(), 0666);
    std::filesystem::permissions(pipe(), static_cast<std::filesystem::perms>(0666));
    // Held open: what was written and not read is lost when the last who has a pipe open closes it.
    // Open for writing as well, it waits for no writer and never ends.
    stream_ = ssh::file_descriptor{::open(pipe().c_str(), O_RDWR | O_CLOEXEC)};
  }

  [[nodiscard]] std::string pipe() const { return directory_.path() / "pipe"; }

  [[nodiscard]] std::string file(const std::string& name) const { return directory_.path() / name; }

  /// Empty when no command writes one for a minute.
  [[nodiscard]] std::string read_line() const {
    std::string line;
    pollfd readable{stream_.get(), POLLIN, 0};
    while (::poll(&readable, 1, 60'000) == 1) {
      char next = 0;
      if (::read(stream_.get(), &next, 1) != 1 || next == '\n')
        break;
      line += next;
    }
    return line;
  }

private:
  testing::temporary_directory directory_;
  ssh::file_descriptor stream_;
};

} // namespace sshexec::test
