#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// What a user certificate says of itself (OpenSSH, PROTOCOL.certkeys).
struct certificate {
  /// The type and the whole, in base64, as in its file.
  std::string type;
  std::string base64;
  /// The public key that is certified, as its blob has it behind the type.
  std::string key;
  /// What it is known by in the server's log.
  std::string key_id;
  /// The users whom it lets in; none: all.
  std::vector<std::string> principals;
  /// "SHA256:…" of the key that signed it.
  std::string authority;
  /// Seconds since 1970; it is valid from the first on, and before the second.
  std::uint64_t valid_after = 0;
  std::uint64_t valid_before = 0;
};

/// Reads a certificate as `ssh-keygen -s` writes it: its type, its blob in base64, and a comment.
/// Nothing if it is none of a user.
std::optional<certificate> read_certificate(const std::string& text);

/// Whether it certifies the public key with this blob, in base64.
bool is_of(const certificate& x, const std::string& public_key);

/// For people: `certificate "deploy" for root, signed by SHA256:…, expired 2026-01-31 10:00:00
/// UTC`.
std::string describe(const certificate& x, std::time_t now);

} // namespace sshexec::ssh
