#include "sshexec/actors/remote/wire/tls_context.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

using complaint = std::optional<std::string>;

complaint missing_file(const tls_files& files) {
  const std::initializer_list<std::pair<const std::string&, const char*>> wanted{
    {files.certificate, "a certificate"}, {files.key, "a key"}, {files.authority, "an authority"}};
  for (const auto& [path, what] : wanted) {
    if (path.empty())
      return std::string{"TLS needs a certificate, its key and an authority: "} + what
             + " is missing";
  }
  return std::nullopt;
}

/// OpenSSL tells a file that is not there and one that holds nonsense in the same words.
complaint unreadable_file(const tls_files& files) {
  for (const auto* path : {&files.certificate, &files.key, &files.authority, &files.revocations}) {
    if (path->empty())
      continue;
    // A FIFO must not keep anybody waiting.
    const ssh::file_descriptor file{::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

    struct stat status {};

    if (!file || ::fstat(file.get(), &status) != 0)
      return *path + ": " + std::system_category().message(errno);
    if (!S_ISREG(status.st_mode))
      return *path + ": not a file";
  }
  return std::nullopt;
}

/// Keeps OpenSSL from asking for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// From then on, a certificate is refused whose authority has no list there.
complaint use_revocations(SSL_CTX* context, const std::string& path) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* file = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (file == nullptr || X509_load_crl_file(file, path.c_str(), X509_FILETYPE_PEM) < 1)
    return path + " holds no revocation list in PEM format";
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return std::nullopt;
}

complaint use_files(SSL_CTX* context, const tls_files& files) {
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return files.certificate + " holds no certificate in PEM format";
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    return mismatch ? files.key + " is not the key of the certificate " + files.certificate
                    : files.key + " holds no unencrypted key in PEM format";
  }
  if (SSL_CTX_check_private_key(context) != 1)
    return files.key + " is not the key of the certificate " + files.certificate;
  if (SSL_CTX_load_verify_file(context, files.authority.c_str()) != 1)
    return files.authority + " holds no authority's certificate in PEM format";
  return files.revocations.empty() ? std::nullopt : use_revocations(context, files.revocations);
}

std::string to_text(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text{BIO_new(BIO_s_mem()), BIO_free};
  std::array<char, 64> buffer{};
  ASN1_TIME_print(text.get(), time);
  BIO_read(text.get(), buffer.data(), static_cast<int>(buffer.size()) - 1);
  return buffer.data();
}

complaint outdated(const X509* certificate, const std::string& file) {
  const ASN1_TIME* first = X509_get0_notBefore(certificate);
  const ASN1_TIME* last = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(last) < 0)
    return file + " expired on " + to_text(last);
  if (X509_cmp_current_time(first) > 0)
    return file + " is not valid before " + to_text(first);
  return std::nullopt;
}

complaint ends_soon(const X509* certificate, const std::string& file) {
  constexpr std::chrono::days soon{30};
  std::time_t then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + soon);
  const ASN1_TIME* last = X509_get0_notAfter(certificate);
  if (X509_cmp_time(last, &then) >= 0)
    return std::nullopt;
  return file + " expires on " + to_text(last) + ": renew it";
}

/// What there is to say about all of several authorities: while one replaces another, one that is
/// in order will do.
complaint about_authorities(SSL_CTX* context, const std::string& file,
                            complaint (*about)(const X509*, const std::string&)) {
  complaint result;
  const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    const X509* each = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
    if (each == nullptr)
      continue;
    auto why = about(each, file);
    if (!why)
      return std::nullopt;
    result = std::move(why);
  }
  return result;
}

/// Why a certificate of this authority could not be looked up in a list.
complaint useless_list(const X509_CRL* list, X509* authority) {
  if (X509_CRL_verify(const_cast<X509_CRL*>(list), X509_get0_pubkey(authority)) != 1)
    return "is not signed by the authority";
  if (X509_cmp_current_time(X509_CRL_get0_lastUpdate(list)) > 0)
    return "is not valid before " + to_text(X509_CRL_get0_lastUpdate(list));
  const ASN1_TIME* end = X509_CRL_get0_nextUpdate(list);
  if (end != nullptr && X509_cmp_current_time(end) < 0)
    return "expired on " + to_text(end);
  return std::nullopt;
}

/// With a list that does not do, every certificate of its authority would be refused.
complaint useless_lists(SSL_CTX* context, const tls_files& files) {
  const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; !files.revocations.empty() && i < sk_X509_OBJECT_num(all); ++i) {
    X509* const authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
    if (authority == nullptr || outdated(authority, files.authority))
      continue;
    complaint why = "holds no list of an authority in " + files.authority;
    for (int j = 0; why && j < sk_X509_OBJECT_num(all); ++j) {
      const X509_CRL* list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(all, j));
      if (list != nullptr
          && X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(authority)) == 0)
        why = useless_list(list, authority);
    }
    if (why)
      return files.revocations + ' ' + *why;
  }
  return std::nullopt;
}

bool names_a_role(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0;
}

/// What every peer would refuse.
complaint wrong_role(X509* certificate, const std::string& file, tls_role role) {
  const bool is_server = role == tls_role::server;
  const std::uint32_t wanted = is_server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
  if (names_a_role(certificate) && (X509_get_extended_key_usage(certificate) & wanted) != 0)
    return std::nullopt;
  return file + (is_server ? " is no hub's" : " is no client's")
         + " certificate: it lacks the extended key usage "
         + (is_server ? "serverAuth" : "clientAuth");
}

/// OpenSSL takes a certificate that names no role for all of them.
int require_role(int is_good, X509_STORE_CTX* verification) {
  if (is_good != 1 || X509_STORE_CTX_get_error_depth(verification) != 0
      || names_a_role(X509_STORE_CTX_get_current_cert(verification)))
    return is_good;
  X509_STORE_CTX_set_error(verification, X509_V_ERR_INVALID_PURPOSE);
  return 0;
}

void set_rules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, require_role);
  // Every connection shows its certificate anew: one that has expired must not come back.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS);
}

} // namespace

caf::expected<tls_context> load_tls(const tls_files& files, tls_role role) {
  const auto refuse = [](std::string why) {
    ERR_clear_error();
    return make_service_error(error_code::configuration_error, std::move(why));
  };
  ERR_clear_error();
  if (auto why = missing_file(files))
    return refuse(std::move(*why));
  if (auto why = unreadable_file(files))
    return refuse(std::move(*why));
  const auto* method = role == tls_role::server ? TLS_server_method() : TLS_client_method();
  tls_context context{SSL_CTX_new(method), SSL_CTX_free};
  if (!context)
    return refuse("OpenSSL cannot be used");
  if (auto why = use_files(context.get(), files))
    return refuse(std::move(*why));
  X509* own = SSL_CTX_get0_certificate(context.get());
  for (const auto& why :
       {outdated(own, files.certificate), wrong_role(own, files.certificate, role),
        about_authorities(context.get(), files.authority, outdated),
        useless_lists(context.get(), files)}) {
    if (why)
      return refuse(*why);
  }
  set_rules(context.get());
  return context;
}

std::optional<std::string> end_in_sight(const tls_context& context, const tls_files& files) {
  if (auto own = ends_soon(SSL_CTX_get0_certificate(context.get()), files.certificate))
    return own;
  return about_authorities(context.get(), files.authority, ends_soon);
}

} // namespace sshexec
