#pragma once

#include "sshexec/ssh/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sshexec::ssh {

/// What stands in clear at the front of a private key file of OpenSSH's own format
/// (PROTOCOL.key of OpenSSH).
struct openssh_key_header {
  /// "none" for a key that is not encrypted.
  std::string cipher;
  /// How often the passphrase is hashed; 0 for a key that is not encrypted.
  std::uint32_t rounds = 0;
};

/// Whether a text is of that format.
bool is_openssh_key(const std::string& text);

/// Its header; none when it cannot be read.
std::optional<openssh_key_header> read_openssh_key_header(const std::string& text);

/// An ed25519 key that is in another format that OpenSSL reads (PKCS#8), in OpenSSH's own, not
/// encrypted; empty when it is none.
secret ed25519_to_openssh_key(const std::string& text, const std::string& passphrase);

} // namespace sshexec::ssh
