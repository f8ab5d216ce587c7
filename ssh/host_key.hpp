#pragma once

#include <string>

namespace sshexec::ssh {

/// A server's public key (RFC 4253 §6.6).
struct host_key {
  /// The algorithm's name, such as "ssh-ed25519".
  std::string type;
  /// The key blob in base64, as in a known_hosts line.
  std::string base64;

  friend bool operator==(const host_key&, const host_key&) = default;
};

/// "SHA256:…" as OpenSSH prints it; empty when `key` holds no valid base64.
std::string fingerprint(const host_key& key);

} // namespace sshexec::ssh
