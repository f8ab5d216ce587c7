#include "sshexec/app/authority/authority.hpp"

#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

namespace sshexec::app {

namespace {

constexpr const char* authority_name = "authority";
constexpr std::chrono::days authority_lifetime{3650};
/// Between our clock and that of a hub or client.
constexpr std::chrono::minutes clock_difference{5};
constexpr const char* record_name = "issued";
constexpr mode_t for_everybody = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
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
  // One of a process that was killed.
  ::unlink(draft.c_str());
  const ssh::file_descriptor file{
    ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  errno = file ? 0 : errno;
  const bool is_written
    = file && ::write(file.get(), data.data(), data.size()) == static_cast<ssize_t>(data.size())
      && ::fsync(file.get()) == 0 && ::rename(draft.c_str(), path.c_str()) == 0;
  if (is_written)
    return;
  // A write that fell short says nothing more.
  const int reason = errno != 0 ? errno : ENOSPC;
  ::unlink(draft.c_str());
  throw std::system_error{reason, std::system_category(), path.string()};
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

/// What a file is called after.
void require_name(const std::string& name) {
  constexpr std::size_t longest = 64; // RFC 5280, appendix A: ub-common-name
  const auto is_allowed = [](unsigned char x) {
    return std::isalnum(x) != 0
           || std::string_view{"._@-"}.find(static_cast<char>(x)) != std::string_view::npos;
  };
  const bool is_name = !name.empty() && name.size() <= longest && name.front() != '.'
                       && name.front() != '-' && std::all_of(name.begin(), name.end(), is_allowed);
  if (!is_name)
    throw std::runtime_error{
      "'" + name
      + "' is no name for a certificate: it may have up to 64 of A-Z a-z 0-9 . _ @ -, "
        "and begins with none of . and -"};
  if (name == authority_name)
    throw std::runtime_error{"the authority itself has this name: " + name};
}

std::string hexadecimal(const ASN1_INTEGER* serial) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number{ASN1_INTEGER_to_BN(serial, nullptr),
                                                           BN_free};
  const std::unique_ptr<char, void (*)(char*)> text{BN_bn2hex(number.get()),
                                                    [](char* x) { OPENSSL_free(x); }};
  return text.get();
}

std::string name_of(const X509* x) {
  std::array<char, 256> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, text.data(),
                            static_cast<int>(text.size()));
  return text.data();
}

tls_role role_of(X509* x) {
  return (X509_get_extended_key_usage(x) & XKU_SSL_SERVER) != 0 ? tls_role::server
                                                                : tls_role::client;
}

std::chrono::system_clock::time_point end_of(const X509* x) {
  std::tm time{};
  ASN1_TIME_to_tm(X509_get0_notAfter(x), &time);
  return std::chrono::system_clock::from_time_t(::timegm(&time));
}

bool is_revoked(X509_CRL* list, X509* x) {
  X509_REVOKED* entry = nullptr;
  return X509_CRL_get0_by_serial(list, &entry, X509_get_serialNumber(x)) == 1;
}

/// Behind the number of the list that this one replaces (RFC 5280 §5.2.3).
void count_up(X509_CRL* list) {
  using integer = std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)>;
  const integer last{
    static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)),
    ASN1_INTEGER_free};
  const integer next{ASN1_INTEGER_new(), ASN1_INTEGER_free};
  ASN1_INTEGER_set(next.get(), last ? ASN1_INTEGER_get(last.get()) + 1 : 1);
  require(X509_CRL_add1_ext_i2d(list, NID_crl_number, next.get(), 0, X509V3_ADD_REPLACE) == 1,
          "a revocation list");
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

authority::authority(std::filesystem::path directory, absent what)
  : directory_(std::move(directory)) {
  const tls_files own = files_of(authority_name);
  if (what == absent::refuse && !std::filesystem::exists(own.certificate))
    throw std::runtime_error{directory_.string() + " holds no authority"};
  std::filesystem::create_directories(directory_);
  const ssh::file_descriptor alone = lock();
  const bool is_new = !is_there(own);
  if (is_new)
    create();
  else
    load(own);
  if (std::filesystem::exists(own.revocations))
    return;
  // An empty list would make good again what was revoked.
  if (!is_new && std::filesystem::exists(directory_ / record_name))
    throw std::runtime_error{own.revocations + " is missing: bring it back from a hub"};
  store_revocations(read_revocations().get());
}

ssh::file_descriptor authority::lock() const {
  ssh::file_descriptor result{::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!result || ::flock(result.get(), LOCK_EX) != 0)
    throw std::system_error{errno, std::system_category(), directory_.string()};
  return result;
}

bool authority::has_issued(const std::string& name) const {
  require_name(name);
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

authority::key authority::read_key(const std::string& path) {
  const std::string text = read_file(path);
  const memory file{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
  return key{PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr)};
}

void authority::load(const tls_files& own) {
  certificate_ = read_certificate(own.certificate);
  key_ = read_key(own.key);
  if (!certificate_ || !key_ || X509_check_private_key(certificate_.get(), key_.get()) != 1)
    throw std::runtime_error{directory_.string() + " holds no authority of sshexec's"};
}

void authority::create() {
  key_ = make_key();
  // Where a hub knows several, they are told apart by their names.
  std::uint32_t number = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof(number)) == 1, "a name");
  certificate_ = make_certificate(fmt::format("sshexec authority {:08x}", number), key_.get(),
                                  {-clock_difference, authority_lifetime});
  X509* made = certificate_.get();
  X509_set_issuer_name(made, X509_get_subject_name(made));
  add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(made, made, NID_subject_key_identifier, "hash");
  require(X509_sign(made, key_.get(), EVP_sha256()) != 0, "a certificate");
  store(authority_name, made, key_.get());
}

tls_files authority::issue(const std::string& name, tls_role role, validity when) const {
  require_name(name);
  const ssh::file_descriptor alone = lock();
  const key subject_key = make_key();
  store(name, sign(name, role, when, subject_key.get()).get(), subject_key.get());
  return files_of(name);
}

tls_files authority::renew(const std::string& name, validity when) const {
  const ssh::file_descriptor alone = lock();
  const tls_files files = files_of(name);
  if (!has_issued(name))
    throw std::runtime_error{"there is no certificate of " + name + " to renew"};
  const certificate last = read_certificate(files.certificate);
  if (is_revoked(read_revocations().get(), last.get()))
    throw std::runtime_error{"the certificate of " + name
                             + " is revoked: issue another one, with another key"};
  if (const key its_key = read_key(files.key);
      !its_key || X509_check_private_key(last.get(), its_key.get()) != 1)
    throw std::runtime_error{files.key + " is not the key of " + files.certificate};
  store_certificate(files.certificate,
                    sign(name, role_of(last.get()), when, X509_get0_pubkey(last.get())).get());
  return files;
}

std::size_t authority::revoke(const std::string& name) const {
  const ssh::file_descriptor alone = lock();
  const revocation_list all = read_revocations();
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> now{X509_gmtime_adj(nullptr, 0),
                                                                  ASN1_TIME_free};
  bool is_known = false;
  std::size_t count = 0;
  for (const certificate& each : all_issued()) {
    if (name_of(each.get()) != name)
      continue;
    is_known = true;
    if (is_revoked(all.get(), each.get()))
      continue;
    std::unique_ptr<X509_REVOKED, decltype(&X509_REVOKED_free)> entry{X509_REVOKED_new(),
                                                                      X509_REVOKED_free};
    X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(each.get()));
    X509_REVOKED_set_revocationDate(entry.get(), now.get());
    require(X509_CRL_add0_revoked(all.get(), entry.get()) == 1, "a revocation list");
    (void)entry.release();
    ++count;
  }
  if (!is_known)
    throw std::runtime_error{"there is no certificate of " + name + " to revoke"};
  if (count > 0)
    store_revocations(all.get());
  return count;
}

std::vector<issued_certificate> authority::list() const {
  const revocation_list revoked = read_revocations();
  std::vector<issued_certificate> result;
  for (const certificate& each : all_issued()) {
    X509* const x = each.get();
    result.push_back({name_of(x), role_of(x), hexadecimal(X509_get_serialNumber(x)), end_of(x),
                      is_revoked(revoked.get(), x)});
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.until, a.serial) < std::tie(b.name, b.until, b.serial);
  });
  return result;
}

tls_files authority::files_of(const std::string& name) const {
  const std::string own = authority_name;
  return {directory_ / (name + ".crt"), directory_ / (name + ".key"), directory_ / (own + ".crt"),
          directory_ / (own + ".crl")};
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
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1,
          "a certificate");
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

authority::certificate authority::sign(const std::string& name, tls_role role, validity when,
                                       EVP_PKEY* its_key) const {
  certificate made = make_certificate(name, its_key, when);
  if (end_of(made.get()) > end_of(certificate_.get()))
    X509_set1_notAfter(made.get(), X509_get0_notAfter(certificate_.get()));
  X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
  add_extension(made.get(), certificate_.get(), NID_authority_key_identifier, "keyid:always");
  add_extension(made.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(made.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature");
  // A client's certificate must not be good for playing the hub.
  add_extension(made.get(), certificate_.get(), NID_ext_key_usage,
                role == tls_role::server ? "serverAuth" : "clientAuth");
  require(X509_sign(made.get(), key_.get(), EVP_sha256()) != 0, "a certificate");
  // What is not on record could not be revoked: nor what this one replaces.
  if (const auto last = directory_ / (name + ".crt"); std::filesystem::exists(last)) {
    const certificate replaced = read_certificate(last.string());
    if (replaced && X509_verify(replaced.get(), key_.get()) == 1)
      put_on_record(replaced.get());
  }
  put_on_record(made.get());
  return made;
}

void authority::put_on_record(const X509* made) const {
  const auto record = directory_ / record_name;
  std::filesystem::create_directories(record);
  const std::string serial = hexadecimal(X509_get0_serialNumber(made));
  store_certificate(record / (serial + ".crt"), made);
}

void authority::store(const std::string& name, const X509* made, const EVP_PKEY* its_key) const {
  const tls_files files = files_of(name);
  const memory key_text{BIO_new(BIO_s_mem()), BIO_free};
  require(PEM_write_bio_PrivateKey(key_text.get(), its_key, nullptr, nullptr, 0, nullptr, nullptr)
            == 1,
          "PEM text");
  write_file(files.key, content(key_text.get()), S_IRUSR | S_IWUSR);
  store_certificate(files.certificate, made);
}

void authority::store_certificate(const std::filesystem::path& path, const X509* made) const {
  const memory text{BIO_new(BIO_s_mem()), BIO_free};
  require(PEM_write_bio_X509(text.get(), made) == 1, "PEM text");
  write_file(path, content(text.get()), for_everybody);
}

authority::revocation_list authority::read_revocations() const {
  const std::string path = files_of(authority_name).revocations;
  if (!std::filesystem::exists(path)) {
    revocation_list made{X509_CRL_new()};
    require(made && X509_CRL_set_version(made.get(), 1) == 1
              && X509_CRL_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()))
                   == 1
              && X509_CRL_set1_nextUpdate(made.get(), X509_get0_notAfter(certificate_.get())) == 1,
            "a revocation list");
    return made;
  }
  const std::string text = read_file(path);
  const memory file{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
  revocation_list found{PEM_read_bio_X509_CRL(file.get(), nullptr, nullptr, nullptr)};
  if (!found || X509_CRL_verify(found.get(), key_.get()) != 1)
    throw std::runtime_error{path + " is no revocation list of this authority"};
  return found;
}

void authority::store_revocations(X509_CRL* all) const {
  count_up(all);
  // A hub whose clock is behind must take it.
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> now{
    X509_gmtime_adj(nullptr, -std::chrono::seconds{clock_difference}.count()), ASN1_TIME_free};
  const memory text{BIO_new(BIO_s_mem()), BIO_free};
  require(X509_CRL_set1_lastUpdate(all, now.get()) == 1 && X509_CRL_sort(all) == 1
            && X509_CRL_sign(all, key_.get(), EVP_sha256()) != 0
            && PEM_write_bio_X509_CRL(text.get(), all) == 1,
          "a revocation list");
  write_file(files_of(authority_name).revocations, content(text.get()), for_everybody);
}

/// On record, and those that were issued before there was a record.
std::vector<authority::certificate> authority::all_issued() const {
  std::map<std::string, certificate> by_serial;
  for (const auto& folder : {directory_ / record_name, directory_}) {
    if (!std::filesystem::exists(folder))
      continue;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
      if (entry.path().extension() != ".crt" || entry.path().stem() == authority_name)
        continue;
      certificate found = read_certificate(entry.path().string());
      if (found && X509_verify(found.get(), key_.get()) == 1)
        by_serial.emplace(hexadecimal(X509_get_serialNumber(found.get())), std::move(found));
    }
  }
  std::vector<certificate> result;
  for (auto& [serial, each] : by_serial)
    result.push_back(std::move(each));
  return result;
}

} // namespace sshexec::app
