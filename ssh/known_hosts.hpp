#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"
#include "sshexec/ssh/host_key.hpp"
#include "sshexec/ssh/known_keys.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// One of OpenSSH's known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): plain and hashed
/// names, patterns, "[host]:port", revoked keys. Its text is kept in memory and read again when the
/// file has changed. All calls block on the file system; errors are of kind `file` and name the
/// path.
class known_hosts_file {
public:
  explicit known_hosts_file(std::filesystem::path path);

  /// What the file holds for this host; a file that does not exist holds nothing. A line that
  /// cannot be parsed is skipped, as OpenSSH does.
  result<known_keys> find(std::string_view host, std::uint16_t port);

  /// Appends one whole line for this host and syncs it to the disk; nothing else in the file is
  /// touched, so several processes may append. The file and its folder are created if missing,
  /// accessible to their owner alone.
  result<void> append(std::string_view host, std::uint16_t port, const host_key& key);

private:
  result<void> refresh();

  std::filesystem::path path_;
  std::optional<file_stamp> stamp_;
  std::string text_;
};

} // namespace sshexec::ssh
