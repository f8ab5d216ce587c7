#include "sshexec/ssh/dialer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace sshexec::ssh {

namespace {

/// The result of a connect that was begun: 0, an errno value, or EINPROGRESS.
int connect_status(int socket) {
  pollfd query{socket, POLLOUT, 0};
  if (::poll(&query, 1, 0) <= 0)
    return EINPROGRESS;
  int code = 0;
  socklen_t length = sizeof(code);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) != 0)
    return errno;
  return code;
}

} // namespace

dialer::dialer(std::vector<address> addresses, poller& sockets, poller::notify_function notify)
  : addresses_(std::move(addresses)), sockets_(sockets), notify_(std::move(notify)) {
  start_next();
}

bool dialer::start_next() {
  while (next_ < addresses_.size()) {
    const address& target = addresses_[next_++];
    file_descriptor socket{
      ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!socket) {
      fail(target, errno);
      continue;
    }
    // Requests are small and waited for: held back by Nagle's algorithm they would cost a round
    // trip each.
    const int yes = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    const int status
      = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target.storage), target.length);
    if (status != 0 && errno != EINPROGRESS) {
      fail(target, errno);
      continue;
    }
    auto registration = sockets_.add(socket.get(), notify_);
    registration.arm(poller::interest::read_write);
    attempts_.push_back({target, std::move(socket), std::move(registration)});
    return true;
  }
  return false;
}

std::optional<result<file_descriptor>> dialer::advance() {
  for (std::size_t i = 0; i < attempts_.size();) {
    const int status = connect_status(attempts_[i].socket.get());
    if (status == EINPROGRESS) {
      attempts_[i++].registration.arm(poller::interest::read_write);
      continue;
    }
    attempt ended = std::move(attempts_[i]);
    attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(i));
    if (status == 0)
      return result<file_descriptor>{std::move(ended.socket)};
    fail(ended.target, status);
    start_next();
  }
  if (!attempts_.empty())
    return std::nullopt;
  return tl::unexpected{*failure_};
}

void dialer::fail(const address& target, int code) {
  error reason = from_errno(code);
  const std::string text = to_string(target) + ": " + reason.text;
  if (failure_)
    failure_->text += "; " + text;
  else
    failure_ = error{reason.kind, text};
}

} // namespace sshexec::ssh
