#pragma once

#include <string>

namespace sshexec::testing {

/// Makes an ed25519 key pair: the private key at `path`, the public one at `path`.pub. Throws
/// `std::runtime_error` when ssh-keygen(1) cannot be used.
void make_key(const std::string& path, const std::string& passphrase = {});

/// "SHA256:…" of a public or private key file, as ssh-keygen(1) prints it. Throws like `make_key`.
std::string key_fingerprint(const std::string& path);

} // namespace sshexec::testing
