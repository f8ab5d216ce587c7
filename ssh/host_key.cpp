#include "sshexec/ssh/host_key.hpp"

#include <libssh/libssh.h>

#include <memory>

namespace sshexec::ssh {

namespace {

struct hash_deleter {
  void operator()(unsigned char* x) const { ssh_clean_pubkey_hash(&x); }
};

struct string_deleter {
  void operator()(char* x) const { ssh_string_free_char(x); }
};

using key_handle = std::unique_ptr<ssh_key_struct, decltype(&ssh_key_free)>;

key_handle import_public_key(const host_key& key) {
  ssh_key result = nullptr;
  ssh_pki_import_pubkey_base64(key.base64.c_str(), ssh_key_type_from_name(key.type.c_str()),
                               &result);
  return {result, ssh_key_free};
}

} // namespace

std::string fingerprint(const host_key& key) {
  const auto public_key = import_public_key(key);
  if (!public_key)
    return {};
  unsigned char* bytes = nullptr;
  std::size_t length = 0;
  ssh_get_publickey_hash(public_key.get(), SSH_PUBLICKEY_HASH_SHA256, &bytes, &length);
  const std::unique_ptr<unsigned char, hash_deleter> hash{bytes};
  if (!hash)
    return {};
  const std::unique_ptr<char, string_deleter> text{
    ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash.get(), length)};
  return text ? text.get() : "";
}

} // namespace sshexec::ssh
