#pragma once

#include "sshexec/app/signal_watcher.hpp"

#include <cstdint>

namespace sshexec::app {

/// What the signals mean that the tool gets while it works on many machines. Ctrl-C goes one step
/// at a time; TERM and HUP take the first two at once.
class stop_steps {
public:
  using clock = signal_echoes::clock;

  enum class meaning : std::uint8_t {
    /// Starts no other machine.
    start_no_more,
    /// Ends what is under way, too.
    cancel,
    end_at_once,
    echo,
  };

  meaning of(int signal, clock::time_point at = clock::now());

private:
  signal_echoes echoes_;
  int steps_ = 0;
};

} // namespace sshexec::app
