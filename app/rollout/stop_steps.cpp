#include "sshexec/app/rollout/stop_steps.hpp"

#include <csignal>

namespace sshexec::app {

stop_steps::meaning stop_steps::of(int signal, clock::time_point at) {
  if (echoes_.has(signal, at))
    return meaning::echo;
  steps_ += steps_ == 0 && signal != SIGINT ? 2 : 1;
  if (steps_ == 1)
    return meaning::start_no_more;
  return steps_ == 2 ? meaning::cancel : meaning::end_at_once;
}

} // namespace sshexec::app
