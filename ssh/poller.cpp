#include "sshexec/ssh/poller.hpp"

#include "sshexec/ssh/crypto_state.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace sshexec::ssh {

namespace {

/// No registration gets this ticket.
constexpr std::uint32_t stop_ticket = 0;

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
  void run();
  void notify(int socket, std::uint32_t ticket);

  void stop() const { ::eventfd_write(stop_event.get(), 1); }

  file_descriptor epoll = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  file_descriptor stop_event = checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  std::mutex mutex;
  std::uint32_t last_ticket = 0;
  std::unordered_map<int, watched_socket> watched;
};

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
  const auto i = watched.find(socket);
  if (i == watched.end() || i->second.ticket != ticket)
    return;
  watched.erase(i);
  ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, socket, nullptr);
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
    notify(static_cast<int>(ready.data.u64 & 0xffffffff), ticket);
  }
}

void poller::core::notify(int socket, std::uint32_t ticket) {
  std::shared_ptr<watch> shared;
  {
    const std::lock_guard guard{mutex};
    const auto i = watched.find(socket);
    if (i == watched.end() || i->second.ticket != ticket)
      return;
    shared = i->second.shared;
  }
  shared->armed = interest::nothing;
  shared->notify();
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
  if (watch_->armed.exchange(what) == what)
    return;
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  if (what == interest::read_write)
    wanted.events |= EPOLLOUT;
  wanted.data.u64 = pack(socket_, ticket_);
  ::epoll_ctl(owner_->epoll.get(), EPOLL_CTL_MOD, socket_, &wanted);
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
