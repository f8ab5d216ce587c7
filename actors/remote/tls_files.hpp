#pragma once

#include <string>

namespace sshexec {

/// What one side of a mutual TLS connection has: its certificate with the chain behind it, the
/// unencrypted key of that, and the authority that has to have signed the other side's certificate.
/// Paths of PEM files.
struct tls_files {
  std::string certificate;
  std::string key;
  std::string authority;

  [[nodiscard]] bool empty() const {
    return certificate.empty() && key.empty() && authority.empty();
  }
};

} // namespace sshexec
