#include "sshexec/actors/remote/wire/sockets.hpp"

#include "sshexec/ssh/dialer.hpp"
#include "sshexec/ssh/poller.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

namespace sshexec {

namespace {

using failed = tl::unexpected<ssh::error>;

enum class wait_end { ready, late, stopped };

wait_end wait_for(int socket, short events, const patience& bound) {
  using namespace std::chrono;
  for (;;) {
    const auto left = ceil<milliseconds>(bound.until - steady_clock::now());
    std::array<pollfd, 2> waiting{{{socket, events, 0}, {bound.stop, POLLIN, 0}}};
    const int seen = ::poll(waiting.data(), waiting.size(),
                            static_cast<int>(std::clamp<milliseconds::rep>(
                              left.count(), 0, std::numeric_limits<int>::max())));
    if (seen < 0 && errno == EINTR)
      continue;
    if (waiting[1].revents != 0)
      return wait_end::stopped;
    return seen > 0 ? wait_end::ready : wait_end::late;
  }
}

ssh::result<std::vector<ssh::address>> addresses_of(const network_address& x, reach allowed) {
  auto result = ssh::resolve(x.host, x.port);
  const auto is_allowed
    = [&](const ssh::address& each) { return allowed == reach::anywhere || is_loopback(each); };
  if (result && !std::all_of(result->begin(), result->end(), is_allowed))
    return failed{
      {ssh::error_kind::unreachable, x.host + " is no loopback address: there must be TLS"}};
  return result;
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

ssh::result<void> complete(tls_stream& stream, tls_stream::status (tls_stream::*step)(),
                           const patience& bound) {
  for (;;) {
    const auto status = (stream.*step)();
    if (status == tls_stream::status::done)
      return {};
    if (status == tls_stream::status::ended || status == tls_stream::status::failed)
      return failed{{ssh::error_kind::protocol, "the TLS handshake failed: " + stream.reason()}};
    const short event = status == tls_stream::status::want_read ? POLLIN : POLLOUT;
    if (wait_for(stream.socket(), event, bound) != wait_end::ready)
      return failed{{ssh::error_kind::timed_out, "the TLS handshake was not over in time"}};
  }
}

} // namespace

ssh::result<ssh::file_descriptor> connect_to(std::vector<ssh::address> targets,
                                             const patience& bound) {
  using std::chrono::steady_clock;
  // The poller may notify when this function is over.
  const auto news = std::make_shared<ssh::pipe_ends>(ssh::make_pipe());
  if (!news->reading)
    return failed{ssh::from_errno(errno)};
  ssh::poller sockets;
  ssh::dialer dialing{std::move(targets), sockets,
                      [news] { std::ignore = ::write(news->writing.get(), "", 1); }};
  for (;;) {
    if (auto outcome = dialing.advance())
      return std::move(*outcome);
    const auto next = std::min(bound.until, steady_clock::now() + ssh::address_delay);
    const wait_end seen = wait_for(news->reading.get(), POLLIN, {next, bound.stop});
    if (seen == wait_end::stopped || steady_clock::now() >= bound.until)
      return failed{ssh::from_errno(ETIMEDOUT)};
    char byte = 0;
    if (seen == wait_end::late)
      dialing.start_next();
    else
      std::ignore = ::read(news->reading.get(), &byte, 1);
  }
}

ssh::result<ssh::file_descriptor> connect_to(const network_address& target, const patience& bound,
                                             reach allowed) {
  auto addresses = addresses_of(target, allowed);
  if (!addresses)
    return failed{addresses.error()};
  return connect_to(std::move(*addresses), bound);
}

ssh::result<ssh::file_descriptor> listen_on(const network_address& wanted, reach allowed) {
  const auto addresses = addresses_of(wanted, allowed);
  if (!addresses)
    return failed{addresses.error()};
  ssh::result<ssh::file_descriptor> socket = failed{ssh::error{}};
  for (auto each = addresses->begin(); each != addresses->end() && !socket; ++each)
    socket = listen_on(*each);
  return socket;
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
