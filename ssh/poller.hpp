#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace sshexec::ssh {

/// Watches sockets on threads of its own and tells their owners, once for each arming, that
/// something can be done (epoll(7), EPOLLONESHOT). An owner may do it at once, on that thread:
/// while it does, the other threads watch on. A socket whose news come within microseconds is
/// looked at without sleep in between. All functions may be called from any thread.
class poller {
  struct core;

public:
  /// Called on one of the poller's threads; must not block. May still be called once while its
  /// registration is being destroyed, so it must not refer to what the owner destroys.
  using notify_function = std::function<void()>;

  /// What a socket's owner waits for.
  /// `hang_up`: that the other side has closed the socket, which every other interest tells as
  /// well.
  enum class interest : std::uint8_t { nothing, hang_up, read, write, read_write };

private:
  using clock = std::chrono::steady_clock;

  /// A longer one counts as one of this.
  static constexpr clock::duration longest_wait = std::chrono::milliseconds{1};

  /// What is shared by a registration and the poller's threads.
  struct watch {
    void news_came();

    notify_function notify;
    /// Asked for and not notified yet. Cleared in front of the notification and set in front of the
    /// arming, so that no arming is left out that is needed.
    std::atomic<interest> armed = interest::nothing;
    std::atomic<clock::time_point> armed_at = clock::time_point{};
    /// How long its news let a thread wait lately, on average.
    std::atomic<clock::duration> usual_wait = longest_wait;
  };

public:
  /// One socket's place in the poller. It may outlive the socket, but must not be armed then.
  class registration {
  public:
    registration() = default;
    registration(registration&& other) noexcept;
    registration& operator=(registration&& other) noexcept;
    ~registration();

    /// Asks for one notification. Costs nothing if the last one that was asked for is still to
    /// come.
    void arm(interest what);

    explicit operator bool() const { return owner_ != nullptr; }

  private:
    friend class poller;

    registration(core* owner, int socket, std::uint32_t ticket, std::shared_ptr<watch> shared)
      : owner_(owner), socket_(socket), ticket_(ticket), watch_(std::move(shared)) {}

    core* owner_ = nullptr;
    int socket_ = -1;
    std::uint32_t ticket_ = 0;
    std::shared_ptr<watch> watch_;
  };

  /// Runs a job on a thread of its own. The job returns soon after the poller's end.
  using thread_function = std::function<void(std::function<void()> job)>;

  /// Runs it on a thread that nobody waits for.
  static void start_thread(std::function<void()> job);

  /// Throws `std::system_error` when the kernel grants no epoll instance, and whatever `start`
  /// throws.
  explicit poller(std::size_t threads = 1, const thread_function& start = start_thread);
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Returns at once, even on one of its threads; notifications that are under way go on.
  ~poller();

  /// Registers a socket, not armed yet. The poller must outlive the registration.
  registration add(int socket, notify_function notify);

private:
  // Shared with the threads, which end after it.
  std::shared_ptr<core> core_;
};

} // namespace sshexec::ssh
