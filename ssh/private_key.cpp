#include "sshexec/ssh/private_key.hpp"

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/secret.hpp"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

namespace sshexec::ssh {

namespace {

/// No key comes near it.
constexpr off_t max_file_size = off_t{1} << 20;

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
  if (status.st_size > max_file_size)
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

/// libssh asks for a passphrase by this function, so that nothing asks on a terminal.
int note_question(const char*, char*, std::size_t, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

/// The text's key, or null. `was_asked` becomes true when a passphrase is needed and none given.
private_key import_key(const std::string& text, const char* passphrase, bool& was_asked) {
  ssh_key key = nullptr;
  ssh_pki_import_privkey_base64(text.c_str(), passphrase, note_question, &was_asked, &key);
  return key ? private_key{key, ssh_key_free} : nullptr;
}

/// The text's key, or what is wrong with it.
tl::expected<private_key, const char*> decode(const std::string& text,
                                              const std::string& passphrase) {
  bool is_encrypted = false;
  if (auto key = import_key(text, nullptr, is_encrypted))
    return key;
  if (!is_encrypted)
    return tl::unexpected<const char*>{"is not in a private key format that is supported"};
  if (passphrase.empty())
    return tl::unexpected<const char*>{"is encrypted, and there is no passphrase for it"};
  if (auto key = import_key(text, passphrase.c_str(), is_encrypted))
    return key;
  return tl::unexpected<const char*>{"cannot be decrypted: the passphrase is wrong"};
}

} // namespace

result<private_key> load_private_key(const std::filesystem::path& file,
                                     const std::string& passphrase) {
  return read_text(file).and_then([&](const secret& text) -> result<private_key> {
    return decode(text.text(), passphrase).map_error([&](const char* what) {
      return file_error(file, what);
    });
  });
}

result<private_key> read_private_key(const std::string& text, const std::string& passphrase) {
  return decode(text, passphrase).map_error([](const char* what) {
    return error{error_kind::file, std::string{"The private key in memory "} + what};
  });
}

} // namespace sshexec::ssh
