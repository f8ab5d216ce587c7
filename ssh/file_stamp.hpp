#pragma once

#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <optional>

namespace sshexec::ssh {

/// Tells whether a file is still the one that was read: any write to it, replacement of it and
/// change of its permissions moves its change time (stat(2), st_ctim).
struct file_stamp {
  ino_t inode = 0;
  off_t size = 0;
  std::time_t changed = 0;
  long changed_nanoseconds = 0;

  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

inline file_stamp to_stamp(const struct stat& status) {
  return {status.st_ino, status.st_size, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
}

/// The stamp of a file as it is now; none for a file that cannot be reached.
inline std::optional<file_stamp> stamp_of(const std::filesystem::path& file) {
  struct stat status {};

  return ::stat(file.c_str(), &status) == 0 ? std::optional{to_stamp(status)} : std::nullopt;
}

/// The same for an open file.
inline std::optional<file_stamp> stamp_of(int descriptor) {
  struct stat status {};

  return ::fstat(descriptor, &status) == 0 ? std::optional{to_stamp(status)} : std::nullopt;
}

} // namespace sshexec::ssh
