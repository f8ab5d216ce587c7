#pragma once

#include "sshexec/actors/remote/wire/tls_context.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace sshexec::app {

/// From when until when a certificate is valid, counted from now.
struct validity {
  std::chrono::seconds from = std::chrono::minutes{-5};
  std::chrono::seconds until = std::chrono::days{365};
};

/// A private certificate authority in a directory: `authority.crt` and `authority.key`. Every
/// certificate is NAME.crt with NAME.key. Keys are for their owner alone. Functions throw
/// `std::runtime_error`.
class authority {
public:
  /// Opens the one that is there, or makes one that is valid for ten years.
  explicit authority(std::filesystem::path directory);

  /// Whether a certificate of this name is there, with its key. Throws when it is another
  /// authority's, or one of both is missing.
  [[nodiscard]] bool has_issued(const std::string& name) const;

  /// Makes a certificate that is good for one side of a connection, and returns the paths for it.
  /// Existing files are replaced.
  tls_files issue(const std::string& name, tls_role role, validity when = {}) const;

  /// The paths of a certificate of this name, whether it was issued or not.
  [[nodiscard]] tls_files files_of(const std::string& name) const;

private:
  template <class T, auto Free>
  struct deleter {
    void operator()(T* x) const { Free(x); }
  };

  using key = std::unique_ptr<EVP_PKEY, deleter<EVP_PKEY, EVP_PKEY_free>>;
  using certificate = std::unique_ptr<X509, deleter<X509, X509_free>>;

  void create();
  void load(const tls_files& own);
  /// Null where there is none in the file.
  [[nodiscard]] static certificate read_certificate(const std::string& path);
  [[nodiscard]] static key make_key();
  [[nodiscard]] static certificate make_certificate(const std::string& name, EVP_PKEY* subject_key,
                                                    validity when);
  void store(const std::string& name, const X509* made, const EVP_PKEY* its_key) const;

  std::filesystem::path directory_;
  key key_;
  certificate certificate_;
};

/// `sshexec authority DIRECTORY`: an authority with a certificate for a hub and one for a client,
/// as far as they are not there yet. Returns the tool's exit code.
int run_authority(const std::string& directory);

} // namespace sshexec::app
