#pragma once

#include <chrono>
#include <cstdint>

namespace sshexec::app {

/// What the signals mean that the tool gets while it works on many machines. Ctrl-C goes one step
/// at a time; TERM and HUP take the first two at once.
class stop_steps {
public:
  using clock = std::chrono::steady_clock;

  enum class meaning : std::uint8_t {
    /// Starts no other machine.
    start_no_more,
    /// Ends what is under way, too.
    cancel,
    end_at_once,
    /// The same as the one before: timeout(1) sends each to its child, and to the child's group.
    echo,
  };

  meaning of(int signal, clock::time_point at = clock::now());

private:
  int last_ = 0;
  clock::time_point last_at_;
  int steps_ = 0;
};

} // namespace sshexec::app
