#pragma once

#include <libssh/libssh.h>

#include <cstdint>

namespace sshexec::ssh {

/// Other machines get their turn after so many bytes.
inline constexpr std::uint64_t max_bytes_per_advance = std::uint64_t{1} << 20;

/// What went through a session's socket, which libssh counts.
class session_traffic {
public:
  /// For `ssh_set_counters`; valid as long as this.
  ssh_counter counter() { return &counter_; }

  [[nodiscard]] std::uint64_t received() const { return counter_.in_bytes; }

  [[nodiscard]] std::uint64_t sent() const { return counter_.out_bytes; }

  /// Takes a step of libssh's again as long as it moves anything, which is cheaper than to be told
  /// that it can.
  template <class Step>
  int repeat(int again, Step step) const {
    const std::uint64_t bound = received() + max_bytes_per_advance;
    for (;;) {
      const std::uint64_t moved = received() + sent();
      const int status = step();
      if (status != again || moved == received() + sent() || received() >= bound)
        return status;
    }
  }

private:
  ssh_counter_struct counter_{};
};

} // namespace sshexec::ssh
