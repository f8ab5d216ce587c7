#include "sshexec/testing/server_key.hpp"

#include <stdexcept>

namespace sshexec::testing {

namespace {

void require(bool success, const std::string& what) {
  if (!success)
    throw std::runtime_error("cannot " + what);
}

} // namespace

server_key::server_key() {
  ssh_key key = nullptr;
  require(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK, "make an ed25519 key");
  key_.reset(key);
}

std::string server_key::fingerprint() const {
  unsigned char* hash = nullptr;
  std::size_t length = 0;
  require(ssh_get_publickey_hash(key_.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &length) == 0,
          "hash a key");
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
  ssh_clean_pubkey_hash(&hash);
  require(text != nullptr, "tell the fingerprint of a key");
  std::string result = text;
  ssh_string_free_char(text);
  return result;
}

bool server_key::matches(ssh_key public_key) const {
  return ssh_key_cmp(key_.get(), public_key, SSH_KEY_CMP_PUBLIC) == 0;
}

void server_key::write(const std::filesystem::path& file) const {
  require(ssh_pki_export_privkey_file(key_.get(), nullptr, nullptr, nullptr, file.c_str())
            == SSH_OK,
          "write " + file.string());
  using std::filesystem::perms;
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write);
  require(ssh_pki_export_pubkey_file(key_.get(), (file.string() + ".pub").c_str()) == SSH_OK,
          "write " + file.string() + ".pub");
}

} // namespace sshexec::testing
