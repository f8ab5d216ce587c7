#pragma once

#include "sshexec/ssh/config/config_error.hpp"
#include "sshexec/ssh/config/config_line.hpp"
#include "sshexec/ssh/config/environment.hpp"
#include "sshexec/ssh/config/keywords.hpp"
#include "sshexec/ssh/file_stamp.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::ssh {

/// A line that was found to be well formed, as far as its keyword is known.
struct checked_line {
  config_line line;
  /// Null for none that is known.
  const config_keyword* keyword = nullptr;
};

/// The lines of a file.
struct parsed_config {
  std::vector<checked_line> lines;
  std::size_t bytes = 0;
  bool is_safe = true;
};

/// The files of a configuration, each of them read once. What could not be read, or is not a
/// configuration, is tried again whenever it is wanted.
class config_files {
public:
  /// The environment must outlive this object.
  explicit config_files(const config_environment& environment);

  /// A file of at most so many bytes; null for one that does not exist. An error that is not about
  /// a line is told at `wanted_by`.
  config_result<const parsed_config*> load(const std::string& path, const config_place& wanted_by,
                                           std::size_t most_bytes);

  /// The files that a pattern names. An error is told at `wanted_by`.
  config_result<std::vector<std::string>> find(const std::string& pattern,
                                               const config_place& wanted_by);

  /// Whether a file is another one now, or a pattern names other files.
  [[nodiscard]] bool have_changed() const;

private:
  struct known_file {
    /// As it was before the file was read.
    std::optional<file_stamp> stamp;
    /// Nothing for a file that does not exist.
    std::optional<parsed_config> content;
  };

  const config_environment* environment_;
  std::map<std::string, known_file> files_;
  std::map<std::string, std::vector<std::string>> found_;
};

} // namespace sshexec::ssh
