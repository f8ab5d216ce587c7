#include "sshexec/actors/remote/wire/tls_tunnel.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sshexec {

namespace {

/// A TLS record carries at most 16 KiB (RFC 8446 §5.1); a few of them at a time.
constexpr std::size_t buffer_size = std::size_t{64} << 10;

/// Rounds before others have their turn.
constexpr int rounds_per_turn = 16;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

} // namespace

tls_tunnel::tls_tunnel(tls_stream secure, ssh::file_descriptor plain)
  : secure_(std::move(secure)), plain_(std::move(plain)) {
  inbound_.buffer.resize(buffer_size);
  outbound_.buffer.resize(buffer_size);
}

tls_tunnel::progress tls_tunnel::advance() {
  for (int round = 0; round < rounds_per_turn; ++round) {
    secure_wants_write_ = false;
    const bool moved_in = receive_secure() | send_plain();
    const bool moved_out = receive_plain() | send_secure();
    close_outbound();
    if (is_over()) {
      secure_.close();
      return progress::ended;
    }
    if (!moved_in && !moved_out)
      return progress::waiting;
  }
  return progress::busy;
}

bool tls_tunnel::receive_secure() {
  if (!inbound_.empty() || inbound_.source_ended)
    return false;
  const auto [status, bytes] = secure_.read(inbound_.buffer.data(), inbound_.buffer.size());
  inbound_.begin = 0;
  inbound_.end = bytes;
  note_status(status, inbound_.source_ended);
  return status == tls_stream::status::done;
}

bool tls_tunnel::send_plain() {
  if (inbound_.empty())
    return false;
  if (inbound_.target_ended) {
    // Unread, it would reset the connection under what the peer has not taken yet.
    inbound_.begin = inbound_.end;
    return true;
  }
  const ssize_t sent = ::send(plain_.get(), inbound_.buffer.data() + inbound_.begin,
                              inbound_.end - inbound_.begin, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0)
    inbound_.begin += static_cast<std::size_t>(sent);
  else if (!would_block())
    inbound_.target_ended = true;
  return sent > 0;
}

bool tls_tunnel::receive_plain() {
  if (!outbound_.empty() || outbound_.source_ended)
    return false;
  const ssize_t received
    = ::recv(plain_.get(), outbound_.buffer.data(), outbound_.buffer.size(), MSG_DONTWAIT);
  if (received == 0 || (received < 0 && !would_block()))
    outbound_.source_ended = true;
  if (received <= 0)
    return false;
  outbound_.begin = 0;
  outbound_.end = static_cast<std::size_t>(received);
  return true;
}

bool tls_tunnel::send_secure() {
  if (outbound_.empty() || outbound_.target_ended)
    return false;
  const auto [status, bytes]
    = secure_.write(outbound_.buffer.data() + outbound_.begin, outbound_.end - outbound_.begin);
  outbound_.begin += bytes;
  bytes_sent_ += bytes;
  note_status(status, outbound_.target_ended);
  return status == tls_stream::status::done;
}

void tls_tunnel::note_status(tls_stream::status status, bool& ended) {
  secure_wants_write_ |= status == tls_stream::status::want_write;
  ended |= status == tls_stream::status::ended || status == tls_stream::status::failed;
}

void tls_tunnel::close_outbound() {
  if (!outbound_.source_ended || !outbound_.empty() || said_goodbye_)
    return;
  secure_.close();
  ::shutdown(secure_.socket(), SHUT_WR);
  said_goodbye_ = true;
}

bool tls_tunnel::is_over() {
  if (outbound_.target_ended || (inbound_.source_ended && inbound_.empty()))
    return true;
  if (!deadline_
      && (inbound_.source_ended || inbound_.target_ended || outbound_.source_ended
          || plain_hung_up()))
    deadline_ = clock::now() + flush_time;
  return deadline_ && clock::now() >= *deadline_;
}

bool tls_tunnel::plain_hung_up() const {
  pollfd query{plain_.get(), POLLRDHUP, 0};
  return !outbound_.empty() && ::poll(&query, 1, 0) > 0;
}

std::array<pollfd, 2> tls_tunnel::events() const {
  const auto wanted = [](int socket, int events) {
    // An error would be told even if nothing was asked for, again and again.
    return pollfd{events != 0 ? socket : -1, static_cast<short>(events), 0};
  };
  const int read_secure = inbound_.empty() && !inbound_.source_ended ? POLLIN : 0;
  const int write_secure = secure_wants_write_ ? POLLOUT : 0;
  const int read_plain = outbound_.empty() && !outbound_.source_ended ? POLLIN : 0;
  const int write_plain = inbound_.empty() ? 0 : POLLOUT;
  const int end_of_plain = deadline_ ? 0 : POLLRDHUP;
  return {wanted(secure_.socket(), read_secure | write_secure),
          wanted(plain_.get(), read_plain | write_plain | end_of_plain)};
}

void run_tunnel(tls_tunnel& tunnel) {
  using namespace std::chrono;
  block_broken_pipe_signal();
  for (;;) {
    const auto made = tunnel.advance();
    if (made == tls_tunnel::progress::ended)
      return;
    if (made == tls_tunnel::progress::busy)
      continue;
    int timeout = -1;
    if (const auto deadline = tunnel.deadline()) {
      const auto left = ceil<milliseconds>(*deadline - tls_tunnel::clock::now());
      timeout = static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
    }
    auto events = tunnel.events();
    ::poll(events.data(), events.size(), timeout);
  }
}

} // namespace sshexec
