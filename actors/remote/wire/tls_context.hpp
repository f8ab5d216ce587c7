#pragma once

#include "sshexec/actors/remote/tls_files.hpp"

#include <caf/expected.hpp>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sshexec {

enum class tls_role : std::uint8_t { client, server };

/// Keys and rules for all connections of one side; may be used by several threads.
using tls_context = std::shared_ptr<SSL_CTX>;

/// Reads the files once and for all, so that what happens to them later harms no connection. Every
/// peer must show a certificate that the authority signed and that names its role (the extended key
/// usage serverAuth, or clientAuth), and that is not revoked, if there is a list; only TLS 1.3 is
/// spoken. Fails with
/// `configuration_error` when a file is not given, cannot be read, holds something else, or does
/// not fit the others, when our own certificate does not name our role, when it or the authority's
/// is not valid today, and when an authority has no list that is, although there are lists.
caf::expected<tls_context> load_tls(const tls_files& files, tls_role role);

/// Says so when our own certificate, or the last of the authorities, ends within 30 days.
std::optional<std::string> end_in_sight(const tls_context& context, const tls_files& files);

} // namespace sshexec
