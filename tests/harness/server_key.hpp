#pragma once

#include <libssh/libssh.h>

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>

namespace sshexec::testing {

/// A fresh ed25519 key pair. Functions throw `std::runtime_error`.
class server_key {
public:
  server_key();

  /// Stays this object's.
  [[nodiscard]] ssh_key get() const { return key_.get(); }

  /// "SHA256:…", as ssh-keygen(1) prints it.
  [[nodiscard]] std::string fingerprint() const;

  [[nodiscard]] bool matches(ssh_key public_key) const;

  /// Writes the private key in OpenSSH's format, readable by its owner only, and the public one
  /// next to it, with ".pub" appended.
  void write(const std::filesystem::path& file) const;

private:
  struct deleter {
    void operator()(ssh_key key) const { ssh_key_free(key); }
  };

  std::unique_ptr<std::remove_pointer_t<ssh_key>, deleter> key_;
};

} // namespace sshexec::testing
