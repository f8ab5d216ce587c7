#pragma once

#include "sshexec/testing/temporary_directory.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
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
  }

  [[nodiscard]] std::string pipe() const { return directory_.path() / "pipe"; }

  [[nodiscard]] std::string file(const std::string& name) const { return directory_.path() / name; }

  [[nodiscard]] std::string read_line() const {
    std::string line;
    std::ifstream stream{pipe()};
    std::getline(stream, line);
    return line;
  }

private:
  testing::temporary_directory directory_;
};

} // namespace sshexec::test
