#include "sshexec/ssh/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <system_error>
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
  ::epoll_ctl(owner_->epoll_.get(), EPOLL_CTL_MOD, socket_, &wanted);
}

poller::poller()
  : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
    stop_event_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  epoll_event stop{};
  stop.events = EPOLLIN;
  stop.data.u64 = pack(stop_event_.get(), stop_ticket);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_event_.get(), &stop) != 0)
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  thread_ = std::thread{[this] { run(); }};
}

poller::~poller() {
  ::eventfd_write(stop_event_.get(), 1);
  thread_.join();
}

poller::registration poller::add(int socket, notify_function notify) {
  const std::lock_guard guard{mutex_};
  if (++last_ticket_ == stop_ticket)
    ++last_ticket_;
  epoll_event unarmed{};
  unarmed.events = EPOLLONESHOT;
  unarmed.data.u64 = pack(socket, last_ticket_);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &unarmed);
  auto shared = std::make_shared<watch>();
  shared->notify = std::move(notify);
  watched_[socket] = {last_ticket_, shared};
  return {this, socket, last_ticket_, std::move(shared)};
}

void poller::remove(int socket, std::uint32_t ticket) {
  const std::lock_guard guard{mutex_};
  const auto i = watched_.find(socket);
  if (i == watched_.end() || i->second.ticket != ticket)
    return;
  watched_.erase(i);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
}

void poller::run() {
  std::array<epoll_event, 64> ready{};
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t data = ready[static_cast<std::size_t>(i)].data.u64;
      const auto ticket = static_cast<std::uint32_t>(data >> 32);
      if (ticket == stop_ticket)
        return;
      notify(static_cast<int>(data & 0xffffffff), ticket);
    }
  }
}

void poller::notify(int socket, std::uint32_t ticket) {
  std::shared_ptr<watch> shared;
  {
    const std::lock_guard guard{mutex_};
    const auto i = watched_.find(socket);
    if (i == watched_.end() || i->second.ticket != ticket)
      return;
    shared = i->second.shared;
  }
  shared->armed = interest::nothing;
  shared->notify();
}

} // namespace sshexec::ssh
