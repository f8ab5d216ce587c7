#include "sshexec/app/authority.hpp"

#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace sshexec::app {

namespace {

constexpr const char* authority_name = "authority";
constexpr std::chrono::days authority_lifetime{3650};
/// X.509 v3 (RFC 5280 §4.1.2.1).
constexpr long version_3 = 2;

void require(bool holds, const std::string& what) {
  if (!holds)
    throw std::runtime_error{"cannot make " + what};
}

using memory = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string content(BIO* x) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(x, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw std::runtime_error{path.string() + ": cannot be read"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Replaces a file at once, so that nobody ever reads half of it.
void write_file(const std::filesystem::path& path, const std::string& data, mode_t mode) {
  const std::string draft = path.string() + ".new";
  const auto check = [&path](bool holds) {
    if (!holds)
      throw std::system_error{errno, std::system_category(), path.string()};
  };
  ::unlink(draft.c_str());
  const ssh::file_descriptor file{
    ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  check(static_cast<bool>(file));
  check(::write(file.get(), data.data(), data.size()) == static_cast<ssize_t>(data.size()));
  check(::rename(draft.c_str(), path.c_str()) == 0);
}

/// Whether a key and its certificate are there. To make both anew because one of them is missing
/// would replace what somebody may still use.
bool is_there(const tls_files& x) {
  const bool has_key = std::filesystem::exists(x.key);
  const bool has_certificate = std::filesystem::exists(x.certificate);
  if (has_key != has_certificate)
    throw std::runtime_error{(has_key ? x.key : x.certificate) + " is there, but not "
                             + (has_key ? x.certificate : x.key)};
  return has_key;
}

void add_extension(X509* made, const X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), made, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  require(extension != nullptr && X509_add_ext(made, extension, -1) == 1, "a certificate");
  X509_EXTENSION_free(extension);
}

} // namespace

authority::authority(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  const tls_files own = files_of(authority_name);
  if (is_there(own))
    load(own);
  else
    create();
}

bool authority::has_issued(const std::string& name) const {
  const tls_files files = files_of(name);
  if (!is_there(files))
    return false;
  const certificate found = read_certificate(files.certificate);
  if (!found || X509_verify(found.get(), key_.get()) != 1)
    throw std::runtime_error{files.certificate + " is not of this authority"};
  return true;
}

authority::certificate authority::read_certificate(const std::string& path) {
  const std::string text = read_file(path);
  const memory file{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
  return certificate{PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)};
}

void authority::load(const tls_files& own) {
  const std::string key_text = read_file(own.key);
  const memory key_file{BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())),
                        BIO_free};
  certificate_ = read_certificate(own.certificate);
  key_.reset(PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr));
  if (!certificate_ || !key_ || X509_check_private_key(certificate_.get(), key_.get()) != 1)
    throw std::runtime_error{directory_.string() + " holds no authority of sshexec's"};
}

void authority::create() {
  key_ = make_key();
  certificate_ = make_certificate("sshexec authority", key_.get(),
                                  {std::chrono::minutes{-5}, authority_lifetime});
  X509* made = certificate_.get();
  X509_set_issuer_name(made, X509_get_subject_name(made));
  add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(made, made, NID_subject_key_identifier, "hash");
  require(X509_sign(made, key_.get(), EVP_sha256()) != 0, "a certificate");
  store(authority_name, made, key_.get());
}

tls_files authority::issue(const std::string& name, tls_role role, validity when) const {
  const key subject_key = make_key();
  const certificate made = make_certificate(name, subject_key.get(), when);
  X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
  const bool is_server = role == tls_role::server;
  add_extension(made.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(made.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature");
  // A client's certificate must not be good for playing the hub.
  add_extension(made.get(), certificate_.get(), NID_ext_key_usage,
                is_server ? "serverAuth" : "clientAuth");
  require(X509_sign(made.get(), key_.get(), EVP_sha256()) != 0, "a certificate");
  store(name, made.get(), subject_key.get());
  return files_of(name);
}

tls_files authority::files_of(const std::string& name) const {
  return {directory_ / (name + ".crt"), directory_ / (name + ".key"),
          directory_ / (std::string{authority_name} + ".crt")};
}

authority::key authority::make_key() {
  key made{EVP_EC_gen("P-256")};
  require(static_cast<bool>(made), "a key");
  return made;
}

authority::certificate authority::make_certificate(const std::string& name, EVP_PKEY* subject_key,
                                                   validity when) {
  certificate made{X509_new()};
  require(static_cast<bool>(made), "a certificate");
  // RFC 5280 §4.1.2.2 wants serial numbers that are positive and never come twice.
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1);
  X509_set_version(made.get(), version_3);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), when.from.count());
  X509_gmtime_adj(X509_getm_notAfter(made.get()), when.until.count());
  X509_set_pubkey(made.get(), subject_key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  return made;
}

void authority::store(const std::string& name, const X509* made, const EVP_PKEY* its_key) const {
  const tls_files files = files_of(name);
  const memory key_text{BIO_new(BIO_s_mem()), BIO_free};
  const memory certificate_text{BIO_new(BIO_s_mem()), BIO_free};
  require(PEM_write_bio_PrivateKey(key_text.get(), its_key, nullptr, nullptr, 0, nullptr, nullptr)
              == 1
            && PEM_write_bio_X509(certificate_text.get(), made) == 1,
          "PEM text");
  write_file(files.key, content(key_text.get()), S_IRUSR | S_IWUSR);
  write_file(files.certificate, content(certificate_text.get()),
             S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
}

int run_authority(const std::string& directory) {
  const authority made{directory};
  for (const auto& [name, role] :
       {std::pair{"hub", tls_role::server}, std::pair{"client", tls_role::client}}) {
    if (!made.has_issued(name))
      made.issue(name, role);
  }
  const auto show = [](const tls_files& x) {
    return fmt::format("cert {}, key {}, ca {}", x.certificate, x.key, x.authority);
  };
  fmt::print("hub:    {}\nclient: {}\n", show(made.files_of("hub")), show(made.files_of("client")));
  return 0;
}

} // namespace sshexec::app
