#include "fuzz.hpp"
#include "sshexec/ssh/openssh_key.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <libssh/libssh.h>

using namespace sshexec;
using fuzz::require;

namespace {

/// Whether a passphrase is hashed so often that a fuzzer would wait for it.
bool is_slow(const std::string& text) {
  constexpr std::uint32_t few_rounds = 4;
  if (!ssh::is_openssh_key(text))
    return false;
  const auto header = ssh::read_openssh_key_header(text);
  return header && header->rounds > few_rounds;
}

} // namespace

/// What libssh leaks is known by who called it (tests/sanitizers/lsan.supp).
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" const char* __asan_default_options() {
  return "fast_unwind_on_malloc=0";
}

/// The first line is a passphrase, and the rest is a private key: it is one that can be offered to
/// servers, or an error.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::lines input{fuzz::to_text(data, size)};
  const std::string passphrase = input.next();
  const std::string& text = input.rest();
  // PKCS#8 tells the cost of its derivation where only libcrypto finds it.
  if (is_slow(text) || text.find("ENCRYPTED PRIVATE KEY") != std::string::npos)
    return 0;
  const auto key = ssh::read_private_key(text, passphrase);
  if (!key) {
    require(key.error().kind == ssh::error_kind::file,
            "a key that cannot be used is a file's error");
    return 0;
  }
  char* base64 = nullptr;
  require(ssh_key_is_private(key->get()) == 1, "a key that is read is a private one");
  require(ssh_pki_export_pubkey_base64(key->get(), &base64) == SSH_OK,
          "a key that is read has a public part");
  ssh_string_free_char(base64);
  return 0;
}
