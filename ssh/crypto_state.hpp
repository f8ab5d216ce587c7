#pragma once

namespace sshexec::ssh {

/// Frees what libcrypto keeps for the calling thread, which it makes anew when it is needed
/// (OPENSSL_thread_stop(3)). For the end of what a thread does with keys, SSH or TLS: libcrypto
/// itself frees it after the thread's last instruction, when an actor system waits no longer for
/// the thread of a detached actor, and a process that ends then frees all that is libcrypto's at
/// the same time.
void free_crypto_state();

} // namespace sshexec::ssh
