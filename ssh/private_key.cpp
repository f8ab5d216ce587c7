#include "sshexec/ssh/private_key.hpp"

#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

namespace sshexec::ssh {

namespace {

error file_error(const std::filesystem::path& file, const std::string& what) {
  return {error_kind::file, "Private key " + file.string() + ' ' + what};
}

/// What keeps the file from being used, whatever it holds.
std::optional<error> objection_to(const std::filesystem::path& file) {
  // A pipe would block the opening until somebody writes to it.
  const file_descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

  struct stat status {};

  if (!descriptor || ::fstat(descriptor.get(), &status) != 0)
    return file_error(file, "cannot be read: " + std::system_category().message(errno));
  if (S_ISDIR(status.st_mode))
    return file_error(file, "is a directory");
  if (!S_ISREG(status.st_mode))
    return file_error(file, "is not a regular file");
  // As OpenSSH does (sshkey_perm_ok): what others own is theirs to protect.
  if (status.st_uid == ::getuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return file_error(file, "is accessible to others; protect it: chmod 600 " + file.string());
  return std::nullopt;
}

/// libssh asks for a passphrase by this function, so that nothing asks on a terminal.
int note_question(const char*, char*, std::size_t, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

/// The file's key, or null. `was_asked` becomes true when a passphrase is needed and none given.
private_key read_key(const std::filesystem::path& file, const char* passphrase, bool& was_asked) {
  ssh_key key = nullptr;
  ssh_pki_import_privkey_file(file.c_str(), passphrase, note_question, &was_asked, &key);
  return key ? private_key{key, ssh_key_free} : nullptr;
}

} // namespace

result<private_key> load_private_key(const std::filesystem::path& file,
                                     const std::string& passphrase) {
  if (auto objection = objection_to(file))
    return tl::unexpected{std::move(*objection)};
  bool is_encrypted = false;
  if (auto key = read_key(file, nullptr, is_encrypted))
    return key;
  if (!is_encrypted)
    return tl::unexpected{file_error(file, "is not in a private key format that is supported")};
  if (passphrase.empty())
    return tl::unexpected{file_error(file, "is encrypted, and there is no passphrase for it")};
  if (auto key = read_key(file, passphrase.c_str(), is_encrypted))
    return key;
  return tl::unexpected{file_error(file, "cannot be decrypted: the passphrase is wrong")};
}

} // namespace sshexec::ssh
