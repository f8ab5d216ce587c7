#include "sshexec/ssh/private_key.hpp"

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/openssh_key.hpp"
#include "sshexec/ssh/secret.hpp"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace sshexec::ssh {

namespace {

/// No key comes near it.
constexpr off_t longest_key_file = off_t{1} << 20;

error file_error(const std::filesystem::path& file, const std::string& what) {
  return {error_kind::file, "Private key " + file.string() + ' ' + what};
}

error errno_error(const std::filesystem::path& file) {
  const int code = errno;
  error result = file_error(file, "cannot be read: " + std::system_category().message(code));
  if (is_shortage(code))
    result.kind = error_kind::shortage;
  return result;
}

/// What keeps a file from being used, whatever it holds.
std::optional<error> objection_to(const std::filesystem::path& file, const struct stat& status) {
  if (S_ISDIR(status.st_mode))
    return file_error(file, "is a directory");
  if (!S_ISREG(status.st_mode))
    return file_error(file, "is not a regular file");
  if (status.st_size > longest_key_file)
    return file_error(file, "is too large for a key");
  // As OpenSSH does (sshkey_perm_ok): what others own is theirs to protect.
  if (status.st_uid == ::getuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return file_error(file, "is accessible to others; protect it: chmod 600 " + file.string());
  return std::nullopt;
}

/// The file's text. libssh would leave it behind in freed memory.
result<secret> read_text(const std::filesystem::path& file) {
  // A pipe would block the opening until somebody writes to it.
  const file_descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

  struct stat status {};

  if (!descriptor || ::fstat(descriptor.get(), &status) != 0)
    return tl::unexpected{errno_error(file)};
  if (auto objection = objection_to(file, status))
    return tl::unexpected{std::move(*objection)};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const auto count = ::read(descriptor.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno != EINTR) {
      wipe(text);
      return tl::unexpected{errno_error(file)};
    }
    if (count == 0)
      break;
    length += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  text.resize(length);
  return secret{std::move(text)};
}

/// What a file says of itself, as far as it can be shown.
std::string printable(std::string_view text) {
  constexpr std::size_t longest_name = 64;
  std::string result{text.substr(0, longest_name)};
  std::replace_if(
    result.begin(), result.end(), [](unsigned char x) { return x <= ' ' || x > '~'; }, '?');
  return result;
}

/// libssh asks for a passphrase by this function, so that nothing asks on a terminal.
int note_question(const char*, char*, std::size_t, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

private_key import_text(const std::string& text, const char* passphrase, bool& was_asked) {
  ssh_key key = nullptr;
  ssh_pki_import_privkey_base64(text.c_str(), passphrase, note_question, &was_asked, &key);
  return key ? private_key{key, ssh_key_free} : nullptr;
}

/// The text's key, or null. `was_asked` becomes true when a passphrase is needed and none given.
private_key import_key(const std::string& text, const char* passphrase, bool& was_asked) {
  auto key = import_text(text, passphrase, was_asked);
  // libssh reads it from any format, and can use it from OpenSSH's alone.
  if (key && ssh_key_type(key.get()) == SSH_KEYTYPE_ED25519 && !is_openssh_key(text))
    key = import_text(ed25519_to_openssh_key(text, passphrase ? passphrase : "").text(), nullptr,
                      was_asked);
  return key;
}

/// What libssh must not be given: it calls a function that is not there for ciphers that
/// authenticate, and takes whatever time the key wants. `file` is how to name it in a command line.
std::optional<std::string> objection_to(const std::string& text, const std::string& file) {
  /// Half a minute.
  constexpr std::uint32_t most_rounds = 10'000;
  constexpr std::array known_ciphers{"none",       "aes128-ctr", "aes192-ctr", "aes256-ctr",
                                     "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"};
  if (!is_openssh_key(text))
    return std::nullopt;
  const auto header = read_openssh_key_header(text);
  if (!header)
    return "is not in a private key format that is supported";
  if (std::find(known_ciphers.begin(), known_ciphers.end(), header->cipher) == known_ciphers.end())
    return "is encrypted with " + printable(header->cipher)
           + ", which is not supported; encrypt it anew: ssh-keygen -p -Z aes256-ctr -f " + file;
  if (header->rounds > most_rounds)
    return "hashes its passphrase " + std::to_string(header->rounds)
           + " times, which takes too long; do it anew: ssh-keygen -p -a 100 -f " + file;
  return std::nullopt;
}

/// Whether servers can be offered the key: libssh takes some that it cannot use.
bool is_usable(const private_key& key) {
  char* base64 = nullptr;
  const bool has_public_part = ssh_pki_export_pubkey_base64(key.get(), &base64) == SSH_OK;
  ssh_string_free_char(base64);
  return has_public_part && ssh_key_type(key.get()) != SSH_KEYTYPE_DSS;
}

/// The text's key, or what is wrong with it.
tl::expected<private_key, std::string>
decode(const std::string& text, const std::string& passphrase, const std::string& file) {
  const auto failure = [](std::string what) { return tl::unexpected{std::move(what)}; };
  if (auto objection = objection_to(text, file))
    return failure(std::move(*objection));
  bool is_encrypted = false;
  auto key = import_key(text, nullptr, is_encrypted);
  if (!key && !is_encrypted)
    return failure("is not in a private key format that is supported");
  if (!key && passphrase.empty())
    return failure("is encrypted, and there is no passphrase for it");
  if (!key)
    key = import_key(text, passphrase.c_str(), is_encrypted);
  if (!key)
    return failure("cannot be decrypted: the passphrase is wrong");
  if (!is_usable(key))
    return failure("is of a type that cannot be used; make another one: ssh-keygen -t ed25519");
  return key;
}

/// The key with a certificate; null when that is not one for it.
std::shared_ptr<ssh_key_struct> with_certificate(const private_key& key, const certificate& x) {
  char* base64 = nullptr;
  ssh_pki_export_pubkey_base64(key.get(), &base64);
  const std::unique_ptr<char, decltype(&ssh_string_free_char)> owner{base64, ssh_string_free_char};
  ssh_key imported = nullptr;
  if (!base64 || !is_of(x, base64)
      || ssh_pki_import_cert_base64(x.base64.c_str(), ssh_key_type_from_name(x.type.c_str()),
                                    &imported)
           != SSH_OK)
    return nullptr;
  const private_key public_part{imported, ssh_key_free};
  std::shared_ptr<ssh_key_struct> result{ssh_key_dup(key.get()), ssh_key_free};
  if (!result || ssh_pki_copy_cert_to_privkey(public_part.get(), result.get()) != SSH_OK)
    return nullptr;
  return result;
}

/// Gives a key its certificate, or the objection to it; `name` is what people know that by.
void certify(private_key& key, const std::string& text, const std::string& name) {
  key.certificate = read_certificate(text);
  if (key.certificate)
    key.certified = with_certificate(key, *key.certificate);
  if (key.certified)
    return;
  key.certificate.reset();
  key.objection = name + " is not used: it is no certificate for its private key";
}

/// Empty if there is no such file, or none that could be a certificate.
result<std::string> read_certificate_file(const std::filesystem::path& file) {
  const file_descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!descriptor && is_shortage(errno))
    return tl::unexpected{errno_error(file)};

  struct stat status {};

  if (!descriptor || ::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)
      || status.st_size > longest_key_file)
    return std::string{};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const auto count = ::read(descriptor.get(), text.data(), text.size());
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

} // namespace

std::filesystem::path certificate_file_of(const std::filesystem::path& key_file) {
  return key_file.string() + "-cert.pub";
}

result<private_key> load_private_key(const std::filesystem::path& file,
                                     const std::string& passphrase) {
  return read_text(file).and_then([&](const secret& text) -> result<private_key> {
    auto key = decode(text.text(), passphrase, file.string());
    if (!key)
      return tl::unexpected{file_error(file, key.error())};
    key->name = file.string();
    const auto certificate_file = certificate_file_of(file);
    return read_certificate_file(certificate_file).map([&](const std::string& certificate) {
      if (!certificate.empty())
        certify(*key, certificate, certificate_file.string());
      return std::move(*key);
    });
  });
}

result<private_key> read_private_key(const std::string& text, const std::string& passphrase,
                                     const std::string& certificate) {
  auto key = decode(text, passphrase, "FILE");
  if (!key)
    return tl::unexpected{error{error_kind::file, "The private key in memory " + key.error()}};
  if (!certificate.empty())
    certify(*key, certificate, "The certificate in memory");
  return std::move(*key);
}

} // namespace sshexec::ssh
