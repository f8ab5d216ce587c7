#include "sshexec/app/signal_watcher.hpp"

#include <pthread.h>

#include <utility>

namespace sshexec::app {

namespace {

/// Wakes the watcher when it is to end. Whoever else sends it means nothing to us.
constexpr int wake_signal = SIGUSR2;

/// Asks what there is to tell.
constexpr int asking_signal = SIGUSR1;

/// Nobody presses a key twice within this time.
constexpr auto echo_time = std::chrono::milliseconds{250};

bool is_ignored(int signal) {
  struct sigaction action {};

  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

sigset_t signals_to_watch(signal_watcher::ignored signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (signals == signal_watcher::ignored::are_watched || !is_ignored(signal))
      sigaddset(&set, signal);
  return set;
}

} // namespace

signal_watcher::signal_watcher(ignored signals) : watched_(signals_to_watch(signals)) {
  sigaddset(&watched_, wake_signal);
  sigaddset(&watched_, asking_signal);
  pthread_sigmask(SIG_BLOCK, &watched_, &previous_mask_);
}

signal_watcher::~signal_watcher() {
  stop();
  pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

void signal_watcher::start(std::function<void(int)> on_signal, std::function<void()> on_question) {
  thread_
    = std::thread{[this, on_signal = std::move(on_signal), on_question = std::move(on_question)] {
        int signal = 0;
        while (sigwait(&watched_, &signal) == 0) {
          if (signal == wake_signal && stopping_)
            return;
          if (signal == asking_signal && on_question)
            on_question();
          if (signal == wake_signal || signal == asking_signal)
            continue;
          if (received_ == 0)
            received_ = signal;
          on_signal(signal);
        }
      }};
}

void signal_watcher::stop() {
  if (!thread_.joinable())
    return;
  stopping_ = true;
  pthread_kill(thread_.native_handle(), wake_signal);
  thread_.join();
  stopping_ = false;
}

bool signal_echoes::has(int signal, clock::time_point at) {
  if (signal == last_ && at - last_at_ < echo_time)
    return true;
  last_ = signal;
  last_at_ = at;
  return false;
}

stop_signals::meaning stop_signals::of(int signal, clock::time_point at) {
  if (echoes_.has(signal, at))
    return meaning::echo;
  return std::exchange(is_told_, true) ? meaning::stop_at_once : meaning::stop;
}

} // namespace sshexec::app
