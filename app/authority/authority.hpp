#pragma once

#include "sshexec/actors/remote/wire/tls_context.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sshexec::app {

/// From when until when a certificate is valid, counted from now.
struct validity {
  std::chrono::seconds from = std::chrono::minutes{-5};
  std::chrono::seconds until = std::chrono::days{365};
};

/// A certificate that an authority has signed.
struct issued_certificate {
  std::string name;
  tls_role role = tls_role::client;
  /// In hexadecimal.
  std::string serial;
  std::chrono::system_clock::time_point until;
  bool revoked = false;
};

/// A private certificate authority in a directory:
///
/// | file | what |
/// |---|---|
/// | `authority.crt`, `authority.key` | the authority itself |
/// | `authority.crl` | the certificates that it has revoked (RFC 5280 §5); there from the start |
/// | `NAME.crt`, `NAME.key` | the latest certificate of this name, and its key |
/// | `issued/SERIAL.crt` | every certificate that it has signed |
///
/// Keys are for their owner alone. Files are replaced at once, and by one process at a time.
/// Functions throw `std::runtime_error`.
class authority {
public:
  enum class absent : std::uint8_t { make, refuse };

  /// Opens the one that is there. Otherwise makes one that is valid for ten years, or throws.
  explicit authority(std::filesystem::path directory, absent what = absent::make);

  /// Whether a certificate of this name is there, with its key. Throws when it is another
  /// authority's, one of both is missing, or it is no name (see `issue`).
  [[nodiscard]] bool has_issued(const std::string& name) const;

  /// Makes a key and a certificate that is good for one side of a connection, at the longest as
  /// long as the authority is, and returns the paths for it. Existing files are replaced. A name is
  /// 1 to 64 of the characters A-Z a-z 0-9 . _ @ -, does not begin with . or -, and is not
  /// "authority".
  tls_files issue(const std::string& name, tls_role role, validity when = {}) const;

  /// Makes another certificate for the key of this name, which begins now. The earlier one stays
  /// good until its own end.
  tls_files renew(const std::string& name, validity when = {}) const;

  /// Puts every certificate of this name on the list. Returns how many of them were not there yet;
  /// throws when this authority has none of that name.
  std::size_t revoke(const std::string& name) const;

  /// All that were ever issued, by name and end.
  [[nodiscard]] std::vector<issued_certificate> list() const;

  /// The paths of a certificate of this name, whether it was issued or not.
  [[nodiscard]] tls_files files_of(const std::string& name) const;

private:
  template <class T, auto Free>
  struct deleter {
    void operator()(T* x) const { Free(x); }
  };

  using key = std::unique_ptr<EVP_PKEY, deleter<EVP_PKEY, EVP_PKEY_free>>;
  using certificate = std::unique_ptr<X509, deleter<X509, X509_free>>;
  using revocation_list = std::unique_ptr<X509_CRL, deleter<X509_CRL, X509_CRL_free>>;

  /// Keeps other processes out as long as it is there.
  [[nodiscard]] ssh::file_descriptor lock() const;
  void create();
  void load(const tls_files& own);
  /// Null where there is none in the file.
  [[nodiscard]] static certificate read_certificate(const std::string& path);
  [[nodiscard]] static key read_key(const std::string& path);
  [[nodiscard]] static key make_key();
  [[nodiscard]] static certificate make_certificate(const std::string& name, EVP_PKEY* subject_key,
                                                    validity when);
  /// Signs a certificate for a key, and puts it on record.
  certificate sign(const std::string& name, tls_role role, validity when, EVP_PKEY* its_key) const;
  void store(const std::string& name, const X509* made, const EVP_PKEY* its_key) const;
  void store_certificate(const std::filesystem::path& path, const X509* made) const;
  void put_on_record(const X509* made) const;
  [[nodiscard]] revocation_list read_revocations() const;
  void store_revocations(X509_CRL* all) const;
  [[nodiscard]] std::vector<certificate> all_issued() const;

  std::filesystem::path directory_;
  key key_;
  certificate certificate_;
};

} // namespace sshexec::app
