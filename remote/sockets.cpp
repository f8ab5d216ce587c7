#include "sshexec/remote/sockets.hpp"

#include "sshexec/ssh/address.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

namespace sshexec {

namespace {

using failed = tl::unexpected<ssh::error>;

/// False when the patience is at its end.
bool wait_for(int socket, short events, const patience& bound) {
  using namespace std::chrono;
  for (;;) {
    const auto left = ceil<milliseconds>(bound.until - steady_clock::now());
    std::array<pollfd, 2> waiting{{{socket, events, 0}, {bound.stop, POLLIN, 0}}};
    const int seen = ::poll(waiting.data(), waiting.size(),
                            static_cast<int>(std::clamp<milliseconds::rep>(
                              left.count(), 0, std::numeric_limits<int>::max())));
    if (seen >= 0 || errno != EINTR)
      return seen > 0 && waiting[1].revents == 0;
  }
}

ssh::file_descriptor make_socket(const ssh::address& x) {
  ssh::file_descriptor socket{
    ::socket(x.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
  const int yes = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return socket;
}

const sockaddr* raw(const ssh::address& x) {
  return reinterpret_cast<const sockaddr*>(&x.storage);
}

ssh::result<ssh::file_descriptor> connect_to(const ssh::address& target, const patience& bound) {
  ssh::file_descriptor socket = make_socket(target);
  if (!socket || (::connect(socket.get(), raw(target), target.length) != 0 && errno != EINPROGRESS))
    return failed{ssh::from_errno(errno)};
  if (!wait_for(socket.get(), POLLOUT, bound))
    return failed{ssh::from_errno(ETIMEDOUT)};
  int code = 0;
  socklen_t length = sizeof(code);
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0)
    return failed{ssh::from_errno(code)};
  return socket;
}

ssh::result<ssh::file_descriptor> listen_on(const ssh::address& wanted) {
  ssh::file_descriptor socket = make_socket(wanted);
  const int yes = 1;
  if (socket)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (!socket || ::bind(socket.get(), raw(wanted), wanted.length) != 0
      || ::listen(socket.get(), SOMAXCONN) != 0)
    return failed{ssh::from_errno(errno)};
  return socket;
}

/// The first success with any address of the host, or the last failure.
ssh::result<ssh::file_descriptor> with_each_address(
  const network_address& x,
  const std::function<ssh::result<ssh::file_descriptor>(const ssh::address&)>& act) {
  auto addresses = ssh::resolve(x.host, x.port);
  if (!addresses)
    return failed{addresses.error()};
  ssh::result<ssh::file_descriptor> outcome = failed{ssh::error{}};
  for (const ssh::address& each : *addresses) {
    outcome = act(each);
    if (outcome)
      break;
  }
  return outcome;
}

ssh::result<void> complete(tls_stream& stream, tls_stream::status (tls_stream::*step)(),
                           const patience& bound) {
  for (;;) {
    const auto status = (stream.*step)();
    if (status == tls_stream::status::done)
      return {};
    if (status == tls_stream::status::ended || status == tls_stream::status::failed)
      return failed{{ssh::error_kind::protocol, "the TLS handshake failed: " + stream.reason()}};
    const short event = status == tls_stream::status::want_read ? POLLIN : POLLOUT;
    if (!wait_for(stream.socket(), event, bound))
      return failed{{ssh::error_kind::timed_out, "the TLS handshake was not over in time"}};
  }
}

} // namespace

ssh::result<ssh::file_descriptor> connect_to(const network_address& target, const patience& bound) {
  return with_each_address(target, [&](const ssh::address& x) { return connect_to(x, bound); });
}

ssh::result<ssh::file_descriptor> listen_on(const network_address& wanted) {
  return with_each_address(wanted, [](const ssh::address& x) { return listen_on(x); });
}

std::uint16_t local_port(const ssh::file_descriptor& socket) {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  sockaddr_in6 address{};
  std::memcpy(&address, &bound, sizeof(address));
  // The port is at the same place in all families of addresses.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(address.sin6_port);
}

ssh::result<tls_stream> secure(ssh::file_descriptor socket, const tls_context& context,
                               const patience& bound) {
  block_broken_pipe_signal();
  tls_stream stream{context, std::move(socket), tls_role::client};
  for (const auto step : {&tls_stream::handshake, &tls_stream::await_first_byte}) {
    if (auto done = complete(stream, step, bound); !done)
      return failed{done.error()};
  }
  return stream;
}

} // namespace sshexec
