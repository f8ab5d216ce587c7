#include "signal_watcher.hpp"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace sshexec::app {

namespace {

/// Tells the watcher itself to end; nobody else sends it to this thread.
constexpr int stop_signal = SIGUSR1;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, stop_signal})
    sigaddset(&set, signal);
  return set;
}

} // namespace

signal_watcher::signal_watcher() {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

signal_watcher::~signal_watcher() {
  if (!thread_.joinable())
    return;
  pthread_kill(thread_.native_handle(), stop_signal);
  thread_.join();
}

void signal_watcher::start(std::function<void()> on_signal) {
  thread_ = std::thread{[this, on_signal = std::move(on_signal)] {
    const sigset_t set = watched_signals();
    int signal = 0;
    sigwait(&set, &signal);
    if (signal == stop_signal)
      return;
    received_ = signal;
    on_signal();
  }};
}

} // namespace sshexec::app
