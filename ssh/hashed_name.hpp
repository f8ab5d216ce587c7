#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sshexec::ssh {

/// A host's name in a known_hosts file that does not show it: "|1|SALT|HASH", where HASH is
/// HMAC-SHA1 of the name with the key SALT, both in base64 (ssh-keygen(1), -H).
class hashed_name {
public:
  /// None for a text that is no such name.
  static std::optional<hashed_name> parse(std::string_view text);

  /// Whether it is this name. Takes a fraction of a microsecond, for files of ten thousand lines.
  [[nodiscard]] bool is(std::string_view name) const;

  static constexpr std::size_t hash_size = 20;

private:
  hashed_name(const SHAstate_st& inner, const SHAstate_st& outer,
              const std::array<unsigned char, hash_size>& hash)
    : inner_(inner), outer_(outer), hash_(hash) {}

  /// SHA-1 behind the blocks of the salt, which are the same for every name.
  SHAstate_st inner_;
  SHAstate_st outer_;
  std::array<unsigned char, hash_size> hash_;
};

} // namespace sshexec::ssh
