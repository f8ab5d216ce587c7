#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace sshexec::ssh {

/// Watches sockets on one thread of its own and tells their owners, once for each arming, that
/// something can be done (epoll(7), EPOLLONESHOT). All functions may be called from any thread.
class poller {
public:
  /// Called on the poller's thread; must not block. May still be called once while its
  /// registration is being destroyed, so it must not refer to what the owner destroys.
  using notify_function = std::function<void()>;

  /// What a socket's owner waits for.
  enum class interest : std::uint8_t { nothing, read, read_write };

private:
  /// What is shared by a registration and the poller's thread.
  struct watch {
    notify_function notify;
    /// Asked for and not notified yet. Cleared in front of the notification and set in front of the
    /// arming, so that no arming is left out that is needed.
    std::atomic<interest> armed = interest::nothing;
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

    registration(poller* owner, int socket, std::uint32_t ticket, std::shared_ptr<watch> watched)
      : owner_(owner), socket_(socket), ticket_(ticket), watch_(std::move(watched)) {}

    poller* owner_ = nullptr;
    int socket_ = -1;
    std::uint32_t ticket_ = 0;
    std::shared_ptr<watch> watch_;
  };

  /// Throws `std::system_error` when the kernel grants no epoll instance.
  poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller();

  /// Registers a socket, not armed yet. The poller must outlive the registration.
  registration add(int socket, notify_function notify);

private:
  /// A descriptor's number is taken again as soon as it is closed; the ticket tells which of its
  /// owners a registration or an event belongs to.
  struct watched {
    std::uint32_t ticket = 0;
    std::shared_ptr<watch> shared;
  };

  void remove(int socket, std::uint32_t ticket);
  void run();
  void notify(int socket, std::uint32_t ticket);

  file_descriptor epoll_;
  file_descriptor stop_event_;
  std::mutex mutex_;
  std::uint32_t last_ticket_ = 0;
  std::unordered_map<int, watched> watched_;
  std::thread thread_;
};

} // namespace sshexec::ssh
