#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace sshexec::app {

/// Turns SIGINT, SIGTERM and SIGHUP into calls on a thread of its own, where anything may be done.
/// To be made before any other thread, which then all leave these signals to it.
class signal_watcher {
public:
  signal_watcher();
  signal_watcher(const signal_watcher&) = delete;
  signal_watcher& operator=(const signal_watcher&) = delete;
  /// Stops, and lets signals act as before.
  ~signal_watcher();

  /// Calls `on_signal` for each signal that comes, or came already.
  void start(std::function<void(int)> on_signal);

  /// Returns when `on_signal` is not running and will not be called any more.
  void stop();

  /// The first signal that came, 0 for none.
  [[nodiscard]] int received() const { return received_; }

private:
  sigset_t watched_{};
  sigset_t previous_mask_{};
  std::atomic<int> received_ = 0;
  std::thread thread_;
};

} // namespace sshexec::app
