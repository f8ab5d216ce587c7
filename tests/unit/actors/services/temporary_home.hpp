#pragma once

#include "sshexec/testing/temporary_directory.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace sshexec::test {

/// A home directory of the test's own.
class temporary_home {
public:
  temporary_home() {
    if (const char* home = std::getenv("HOME"))
      former_ = home;
    ::setenv("HOME", directory_.path().c_str(), 1);
    std::filesystem::create_directory(path() / ".ssh");
  }

  temporary_home(const temporary_home&) = delete;
  temporary_home& operator=(const temporary_home&) = delete;

  ~temporary_home() {
    if (former_)
      ::setenv("HOME", former_->c_str(), 1);
    else
      ::unsetenv("HOME");
  }

  [[nodiscard]] std::filesystem::path path() const { return directory_.path(); }

private:
  testing::temporary_directory directory_;
  std::optional<std::string> former_;
};

} // namespace sshexec::test
