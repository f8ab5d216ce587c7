#include "sshexec/ssh/crypto_state.hpp"

#include <openssl/crypto.h>

namespace sshexec::ssh {

void free_crypto_state() {
  ::OPENSSL_thread_stop();
}

} // namespace sshexec::ssh
