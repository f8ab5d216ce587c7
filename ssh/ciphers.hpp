#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

namespace sshexec::ssh {

/// Ciphers that protect what they carry in the same way, whatever the length of their keys.
enum class cipher_family : std::uint8_t {
  /// RFC 5647, under OpenSSH's names.
  aes_gcm,
  chacha20_poly1305,
  /// RFC 4344, with a MAC (RFC 4253 §6.4).
  aes_ctr,
};

using cipher_families = std::set<cipher_family>;

inline constexpr std::array all_cipher_families{
  cipher_family::aes_gcm, cipher_family::chacha20_poly1305, cipher_family::aes_ctr};

/// For people: "AES-GCM".
const char* name_of(cipher_family family);

/// Names of the ciphers to offer, those first that are fastest on a processor with or without
/// instructions for AES, as in a key exchange (RFC 4253 §7.1). Empty when all are left out.
std::string ciphers_to_offer(bool aes_is_fast, const cipher_families& left_out);

/// The same for the processor at hand.
std::string ciphers_to_offer(const cipher_families& left_out);

} // namespace sshexec::ssh
