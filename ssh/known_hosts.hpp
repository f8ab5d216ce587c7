#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"
#include "sshexec/ssh/host_key.hpp"
#include "sshexec/ssh/known_hosts_index.hpp"
#include "sshexec/ssh/known_keys.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// The port whose number known_hosts files leave out.
inline constexpr std::uint16_t default_port = 22;

/// Whether a name stands for itself alone in a known_hosts file, and ends where it ends.
bool can_be_recorded(std::string_view host);

/// One of OpenSSH's known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): plain and hashed
/// names, patterns, "[host]:port", revoked keys. Its lines are kept in memory and read again when
/// somebody else has changed the file. All calls block on the file system; errors name the path,
/// and their kind is that of `file_error_kind`.
class known_hosts_file {
public:
  explicit known_hosts_file(std::filesystem::path path);

  /// What the file holds for this host; a file that does not exist holds nothing, and
  /// neither does /dev/null.
  result<known_keys> find(std::string_view host, std::uint16_t port);

  /// Appends one whole line for this host and syncs it to the disk; nothing else in the file is
  /// touched, so several processes may append. The file and its folder are created if missing,
  /// accessible to their owner alone.
  result<void> append(std::string_view host, std::uint16_t port, const host_key& key);

private:
  result<void> refresh();
  void take_in(const std::string& text, const std::optional<file_stamp>& before,
               const std::optional<file_stamp>& after);

  std::filesystem::path path_;
  std::optional<file_stamp> stamp_;
  known_hosts_index lines_;
};

} // namespace sshexec::ssh
