#pragma once

#include <string>

namespace sshexec {

/// What one side of a mutual TLS connection has: its certificate with the chain behind it, the
/// unencrypted key of that, the authority that has to have signed the other side's certificate, and
/// the list of those that it has revoked, if there is one. Paths of PEM files.
struct tls_files {
  std::string certificate;
  std::string key;
  std::string authority;
  std::string revocations = {};

  [[nodiscard]] bool empty() const {
    return certificate.empty() && key.empty() && authority.empty() && revocations.empty();
  }
};

} // namespace sshexec
