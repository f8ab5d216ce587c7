#include "sshexec/ssh/poller.hpp"

#include "sshexec/ssh/crypto_state.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace sshexec::ssh {

namespace {

/// No registration gets this ticket.
constexpr std::uint32_t stop_ticket = 0;

/// To be put to sleep and woken costs a thread as much as to look around for so long, and costs
/// those who send the news, too. So a thread stays awake for sockets whose news usually come soon,
/// and waits a little longer than usual.
constexpr auto soon = std::chrono::microseconds{100};
constexpr auto longest_look = std::chrono::microseconds{200};

/// A socket that always has news keeps a thread from the others no longer than this.
constexpr auto longest_turn = std::chrono::milliseconds{1};

std::uint64_t pack(int socket, std::uint32_t ticket) {
  return std::uint64_t{ticket} << 32 | static_cast<std::uint32_t>(socket);
}

file_descriptor checked(int descriptor, const char* call) {
  if (descriptor < 0)
    throw std::system_error(errno, std::system_category(), call);
  return file_descriptor{descriptor};
}

} // namespace

struct poller::core {
  /// A descriptor's number is taken again as soon as it is closed; the ticket tells which of its
  /// owners a registration or an event belongs to.
  struct watched_socket {
    std::uint32_t ticket = 0;
    std::shared_ptr<watch> shared;
  };

  core();

  std::uint32_t add(int socket, std::shared_ptr<watch> shared);
  void remove(int socket, std::uint32_t ticket);
  void arm(int socket, std::uint32_t ticket, interest what) const;
  void run();
  void serve(int socket, std::uint32_t ticket);
  void arm_as_asked(int socket, std::uint32_t ticket, const watch& shared);
  std::shared_ptr<watch> find(int socket, std::uint32_t ticket);
  /// Null if the socket is another one by now; for holders of the mutex.
  const watched_socket* look_up(int socket, std::uint32_t ticket) const;
  bool has_news_soon(int socket, const watch& shared, clock::time_point turn_ends) const;

  void stop() const { ::eventfd_write(stop_event.get(), 1); }

  /// Whose notification this thread is in, and whose arming it sees to itself afterwards.
  static thread_local const watch* served;

  /// Means the same to poll(2) and to epoll(7).
  static std::uint32_t events_of(interest what) {
    constexpr std::uint32_t reading = EPOLLIN | EPOLLRDHUP;
    switch (what) {
      case interest::nothing:
      case interest::hang_up:
        return 0;
      case interest::read:
        return reading;
      case interest::write:
        return EPOLLOUT;
      case interest::read_write:
        return reading | EPOLLOUT;
    }
    return 0;
  }

  file_descriptor epoll = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  file_descriptor stop_event = checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  std::mutex mutex;
  std::uint32_t last_ticket = 0;
  std::unordered_map<int, watched_socket> watched;
};

thread_local const poller::watch* poller::core::served = nullptr;

poller::core::core() {
  epoll_event stop{};
  stop.events = EPOLLIN;
  stop.data.u64 = pack(stop_event.get(), stop_ticket);
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop_event.get(), &stop) != 0)
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

std::uint32_t poller::core::add(int socket, std::shared_ptr<watch> shared) {
  const std::lock_guard guard{mutex};
  if (++last_ticket == stop_ticket)
    ++last_ticket;
  epoll_event unarmed{};
  unarmed.events = EPOLLONESHOT;
  unarmed.data.u64 = pack(socket, last_ticket);
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket, &unarmed);
  watched[socket] = {last_ticket, std::move(shared)};
  return last_ticket;
}

void poller::core::remove(int socket, std::uint32_t ticket) {
  const std::lock_guard guard{mutex};
  if (look_up(socket, ticket) == nullptr)
    return;
  watched.erase(socket);
  ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, socket, nullptr);
}

/// The owner may have closed the socket meanwhile, as libssh does by itself when a connection
/// breaks. Then the kernel knows no such socket here, as long as none of that number was added
/// (epoll_ctl(2)).
void poller::core::arm(int socket, std::uint32_t ticket, interest what) const {
  epoll_event wanted{};
  wanted.events = events_of(what) | EPOLLONESHOT;
  wanted.data.u64 = pack(socket, ticket);
  ::epoll_ctl(epoll.get(), EPOLL_CTL_MOD, socket, &wanted);
}

void poller::core::run() {
  for (;;) {
    epoll_event ready{};
    // One at a time: what else is ready is another thread's, which need not wait for this one.
    if (::epoll_wait(epoll.get(), &ready, 1, -1) != 1)
      continue;
    const auto ticket = static_cast<std::uint32_t>(ready.data.u64 >> 32);
    if (ticket == stop_ticket)
      return;
    serve(static_cast<int>(ready.data.u64 & 0xffffffff), ticket);
  }
}

void poller::core::serve(int socket, std::uint32_t ticket) {
  const auto turn_ends = clock::now() + longest_turn;
  // Its number may be that of another owner's socket after each step.
  while (const auto shared = find(socket, ticket)) {
    shared->news_came();
    served = shared.get();
    shared->notify();
    served = nullptr;
    // Its owner waits for nothing, or runs elsewhere and arms it there.
    if (shared->armed == interest::nothing)
      return;
    shared->armed_at = clock::now();
    if (has_news_soon(socket, *shared, turn_ends))
      continue;
    return arm_as_asked(socket, ticket, *shared);
  }
}

/// Its owner may run elsewhere by now, ask for more, and arm the socket itself before this does.
void poller::core::arm_as_asked(int socket, std::uint32_t ticket, const watch& shared) {
  const std::lock_guard guard{mutex};
  if (look_up(socket, ticket) == nullptr)
    return;
  interest asked = interest::nothing;
  while (shared.armed != asked) {
    asked = shared.armed;
    arm(socket, ticket, asked);
  }
}

std::shared_ptr<poller::watch> poller::core::find(int socket, std::uint32_t ticket) {
  const std::lock_guard guard{mutex};
  const watched_socket* const found = look_up(socket, ticket);
  return found != nullptr ? found->shared : nullptr;
}

const poller::core::watched_socket* poller::core::look_up(int socket, std::uint32_t ticket) const {
  const auto i = watched.find(socket);
  return i != watched.end() && i->second.ticket == ticket ? &i->second : nullptr;
}

/// Looks for news of a socket for a while, unless they usually take longer or another socket has
/// some. One whose turn is over goes behind others that have.
bool poller::core::has_news_soon(int socket, const watch& shared,
                                 clock::time_point turn_ends) const {
  if (shared.usual_wait.load() > soon)
    return false;
  const auto events = static_cast<short>(events_of(shared.armed));
  std::array<pollfd, 2> looked_at{{{socket, events, 0}, {epoll.get(), POLLIN, 0}}};
  do {
    if (::poll(looked_at.data(), looked_at.size(), 0) > 0)
      return looked_at.front().revents != 0
             && (looked_at.back().revents == 0 || clock::now() < turn_ends);
    std::this_thread::yield();
  } while (clock::now() - shared.armed_at.load() < longest_look);
  return false;
}

void poller::watch::news_came() {
  constexpr int of_so_many = 8;
  armed = interest::nothing;
  const auto wait = std::min(clock::now() - armed_at.load(), longest_wait);
  usual_wait = usual_wait.load() + (wait - usual_wait.load()) / of_so_many;
}

poller::registration::registration(registration&& other) noexcept
  : owner_(std::exchange(other.owner_, nullptr)),
    socket_(other.socket_),
    ticket_(other.ticket_),
    watch_(std::move(other.watch_)) {}

poller::registration& poller::registration::operator=(registration&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(socket_, other.socket_);
  std::swap(ticket_, other.ticket_);
  std::swap(watch_, other.watch_);
  return *this;
}

poller::registration::~registration() {
  if (owner_)
    owner_->remove(socket_, ticket_);
}

void poller::registration::arm(interest what) {
  if (watch_->armed.exchange(what) == what || watch_.get() == core::served)
    return;
  watch_->armed_at = clock::now();
  owner_->arm(socket_, ticket_, what);
}

void poller::start_thread(std::function<void()> job) {
  std::thread{std::move(job)}.detach();
}

poller::poller(std::size_t threads, const thread_function& start)
  : core_(std::make_shared<core>()) {
  try {
    for (std::size_t i = 0; i < threads; ++i)
      start([core = core_] {
        core->run();
        free_crypto_state();
      });
  } catch (...) {
    core_->stop();
    throw;
  }
}

poller::~poller() {
  core_->stop();
}

poller::registration poller::add(int socket, notify_function notify) {
  auto shared = std::make_shared<watch>();
  shared->notify = std::move(notify);
  const std::uint32_t ticket = core_->add(socket, shared);
  return {core_.get(), socket, ticket, std::move(shared)};
}

} // namespace sshexec::ssh
