#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace sshexec::testing {

/// A fresh directory that goes with its owner, with all that is in it.
class temporary_directory {
public:
  /// Throws `std::system_error`.
  temporary_directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "sshexec-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::system_error(errno, std::system_category(), "mkdtemp");
    path_ = pattern;
  }

  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

} // namespace sshexec::testing
