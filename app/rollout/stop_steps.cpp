#include "sshexec/app/rollout/stop_steps.hpp"

#include <csignal>

namespace sshexec::app {

namespace {

/// Nobody presses a key twice within this time.
constexpr auto time_of_echo = std::chrono::milliseconds{250};

} // namespace

stop_steps::meaning stop_steps::of(int signal, clock::time_point at) {
  const bool is_echo = signal == last_ && at - last_at_ < time_of_echo;
  if (is_echo)
    return meaning::echo;
  last_ = signal;
  last_at_ = at;
  steps_ += steps_ == 0 && signal != SIGINT ? 2 : 1;
  if (steps_ == 1)
    return meaning::start_no_more;
  return steps_ == 2 ? meaning::cancel : meaning::end_at_once;
}

} // namespace sshexec::app
