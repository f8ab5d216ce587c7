#include "sshexec/ssh/agent_client.hpp"

#include "sshexec/ssh/wire_format.hpp"

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace sshexec::ssh {

namespace {

/// OpenSSH's own bound of an agent's messages (AGENT_MAX_LEN).
constexpr std::uint32_t longest_message = 256 * 1024;

/// What an agent that signs for many machines needs for a few of them.
constexpr itimerspec time_between_calls{{}, {0, 20'000'000}};

} // namespace

agent_client::agent_client(std::string path, poller& sockets, poller::notify_function notify)
  : path_(std::move(path)),
    sockets_(sockets),
    notify_(std::move(notify)),
    socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (socket_)
    connect();
  else
    fail(errno);
}

void agent_client::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof(address.sun_path))
    return fail(error_kind::file, "its path is too long");
  path_.copy(static_cast<char*>(address.sun_path), path_.size());
  registration_ = {};
  // unix(7): connects at once, or fails at once when the agent has too many callers.
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    is_connected_ = true;
    registration_ = sockets_.add(socket_.get(), notify_);
  } else if (errno == EAGAIN) {
    call_again_later();
  } else {
    fail(errno);
  }
}

void agent_client::call_again_later() {
  // No event tells that another one can be called (unix(7)).
  timer_ = file_descriptor{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
  if (!timer_ || ::timerfd_settime(timer_.get(), 0, &time_between_calls, nullptr) != 0)
    return fail(errno);
  registration_ = sockets_.add(timer_.get(), notify_);
  registration_.arm(poller::interest::read);
}

void agent_client::ask(std::string_view message) {
  append_string(unsent_, message);
}

std::optional<result<std::string>> agent_client::advance() {
  if (!failure_ && !is_connected_)
    connect();
  if (!failure_ && !is_connected_)
    return std::nullopt;
  if (!failure_)
    send();
  if (!failure_)
    receive();
  std::string_view rest = received_;
  if (const auto answer = take_string(rest)) {
    std::string message{*answer};
    received_ = std::string{rest};
    return message;
  }
  if (failure_)
    return tl::unexpected{*failure_};
  registration_.arm(unsent_.empty() ? poller::interest::read : poller::interest::read_write);
  return std::nullopt;
}

void agent_client::send() {
  while (!unsent_.empty()) {
    const auto count = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      return;
    if (count < 0)
      return fail(errno);
    unsent_.erase(0, static_cast<std::size_t>(count));
  }
}

void agent_client::receive() {
  std::array<char, 4096> buffer;
  for (;;) {
    std::string_view begun = received_;
    if (take_uint32(begun).value_or(0) > longest_message)
      return fail(error_kind::file, "its answer is too long");
    const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      return;
    if (count < 0)
      return fail(errno);
    if (count == 0)
      return fail(error_kind::file, "it hung up");
    received_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void agent_client::fail(int code) {
  fail(file_error_kind(code), std::system_category().message(code));
}

void agent_client::fail(error_kind kind, const std::string& what) {
  failure_ = error{kind, "SSH agent " + path_ + ": " + what};
}

} // namespace sshexec::ssh
