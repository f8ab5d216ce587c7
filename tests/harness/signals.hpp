#pragma once

#include <csignal>

namespace sshexec::testing {

/// To be called first by each thread of the harness: signals are for the threads of whoever embeds
/// it, and a broken pipe is told by write(2).
inline void block_signals() {
  sigset_t all{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

} // namespace sshexec::testing
