#include "sshexec/ssh/agent_client.hpp"

#include "sshexec/ssh/wire_format.hpp"

#include <sys/socket.h>
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

std::string text_of(int code) {
  return std::system_category().message(code);
}

} // namespace

agent_client::agent_client(const std::string& path, poller& sockets, poller::notify_function notify)
  : path_(path), socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  connect();
  if (!failure_)
    registration_ = sockets.add(socket_.get(), std::move(notify));
}

void agent_client::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!socket_)
    return fail(text_of(errno));
  if (path_.size() >= sizeof(address.sun_path))
    return fail("its path is too long");
  path_.copy(static_cast<char*>(address.sun_path), path_.size());
  // unix(7): connects at once, or fails at once when the agent has too many callers.
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    fail(text_of(errno));
}

void agent_client::ask(std::string_view message) {
  append_string(unsent_, message);
}

std::optional<result<std::string>> agent_client::advance() {
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

error agent_client::trouble(const std::string& what) const {
  return {error_kind::file, "SSH agent " + path_ + ": " + what};
}

void agent_client::send() {
  while (!unsent_.empty()) {
    const auto count = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      return;
    if (count < 0)
      return fail(text_of(errno));
    unsent_.erase(0, static_cast<std::size_t>(count));
  }
}

void agent_client::receive() {
  std::array<char, 4096> buffer;
  for (;;) {
    std::string_view begun = received_;
    if (take_uint32(begun).value_or(0) > longest_message)
      return fail("its answer is too long");
    const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      return;
    if (count < 0)
      return fail(text_of(errno));
    if (count == 0)
      return fail("it hung up");
    received_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void agent_client::fail(const std::string& what) {
  failure_ = trouble(what);
}

} // namespace sshexec::ssh
