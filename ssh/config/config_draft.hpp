#pragma once

#include "sshexec/ssh/config/config_error.hpp"
#include "sshexec/ssh/config/options.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// A text as it stands in a file, where it was found.
struct written_text {
  std::string text;
  config_place place;
};

/// What lines have said so far; a value that is there stays.
struct config_draft {
  /// All that needs no other value to be complete.
  ssh_options options;

  std::optional<written_text> hostname;
  std::optional<std::uint16_t> port;
  std::optional<std::string> user;
  std::optional<address_family> family;
  std::optional<canonicalization> canonicalize_hostname;
  std::optional<bool> canonicalize_fallback_local;
  std::optional<int> canonicalize_max_dots;
  /// A ProxyJump with jumps counts as a ProxyCommand of nothing: whichever comes first keeps the
  /// other one out. "none" is empty.
  std::optional<written_text> proxy_command;
  std::optional<std::vector<jump_host>> proxy_jump;
  std::optional<written_text> remote_command;
  std::optional<written_text> identity_agent;
  std::vector<written_text> identity_files;
  std::vector<written_text> certificate_files;
  std::vector<written_text> user_known_hosts_files;
  std::vector<written_text> global_known_hosts_files;
  std::optional<std::uint64_t> rekey_bytes;
  std::optional<std::chrono::seconds> rekey_interval;
  std::optional<std::string> ignore_unknown;
  /// Keywords that cannot be honoured, and whose first value asked for nothing.
  std::set<std::string_view> settled;
};

} // namespace sshexec::ssh
