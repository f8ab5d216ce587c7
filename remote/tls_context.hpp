#pragma once

#include <caf/expected.hpp>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
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

enum class tls_role : std::uint8_t { client, server };

/// Keys and rules for all connections of one side; may be used by several threads.
using tls_context = std::shared_ptr<SSL_CTX>;

/// Reads the files once and for all, so that what happens to them later harms no connection. Every
/// peer must show a certificate for its role that the authority signed; TLS 1.2 is the oldest
/// version spoken. Fails with `configuration_error` when a file is not given, cannot be read, holds
/// something else, or does not fit the others, and when the certificate is not valid today.
caf::expected<tls_context> load_tls(const tls_files& files, tls_role role);

} // namespace sshexec
