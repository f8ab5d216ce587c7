#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <thread>

namespace sshexec::app {

/// Turns SIGINT, SIGTERM and SIGHUP into calls on a thread of its own, where anything may be done.
/// To be made before any other thread, which then all leave these signals to it. SIGUSR2
/// changes nothing meanwhile, and SIGUSR1 asks a question at the most.
class signal_watcher {
public:
  /// Who starts a program may have told it to ignore a signal, as nohup(1) and a shell's "&" do.
  enum class ignored : std::uint8_t { stay_so, are_watched };

  explicit signal_watcher(ignored signals = ignored::stay_so);
  signal_watcher(const signal_watcher&) = delete;
  signal_watcher& operator=(const signal_watcher&) = delete;
  /// Stops, and lets signals act as before.
  ~signal_watcher();

  /// Calls `on_signal` for each signal that comes, or came since the last stop, and `on_question`,
  /// if there is one, for SIGUSR1.
  void start(std::function<void(int)> on_signal, std::function<void()> on_question = {});

  /// Returns when `on_signal` is not running and will not be called any more.
  void stop();

  /// The first signal that came, 0 for none.
  [[nodiscard]] int received() const { return received_; }

private:
  sigset_t watched_{};
  sigset_t previous_mask_{};
  std::atomic<int> received_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// Tells a signal that came twice: timeout(1) sends each to its child, and to the child's group.
class signal_echoes {
public:
  using clock = std::chrono::steady_clock;

  /// Whether it is the same as the one before, and came with it. An echo is no signal of its own to
  /// the next one.
  bool has(int signal, clock::time_point at);

private:
  int last_ = 0;
  clock::time_point last_at_;
};

/// What one more signal means to a program that was told to stop by an earlier one.
class stop_signals {
public:
  using clock = std::chrono::steady_clock;

  enum class meaning : std::uint8_t {
    stop,
    echo,
    stop_at_once,
  };

  meaning of(int signal, clock::time_point at = clock::now());

private:
  signal_echoes echoes_;
  bool is_told_ = false;
};

} // namespace sshexec::app
