#include "sshexec/ssh/forwarding_channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Moved at once.
constexpr std::size_t piece = std::size_t{32} << 10;

/// Others on the connection get their turn after so many bytes.
constexpr std::size_t most_at_a_turn = std::size_t{256} << 10;

/// More than libssh's own window of 1.28 MB.
constexpr std::size_t beyond_any_window = std::size_t{4} << 20;

/// A server that sends so much beyond the window is not listened to any more.
constexpr std::size_t most_beyond_window = std::size_t{16} << 20;

/// Whether it may work a moment later.
bool would_block(int code) {
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR || code == ENOBUFS
         || code == ENOMEM;
}

/// What the server said no with, in the terms of a connection that fails (RFC 4254 §5.1).
error to_error(const channel_refusal& refusal) {
  constexpr std::uint32_t administratively_prohibited = 1;
  constexpr std::uint32_t connect_failed = 2;
  const std::string words = refusal.text.empty() ? "" : ": " + refusal.text;
  switch (refusal.reason) {
    case administratively_prohibited:
      return {error_kind::forbidden, "it does not forward connections" + words};
    case connect_failed:
      return {error_kind::refused, "it could not connect" + words};
    default:
      return {error_kind::refused,
              "it opened no channel (reason " + std::to_string(refusal.reason) + ')' + words};
  }
}

} // namespace

forwarding_channel::forwarding_channel(ssh_session session, incoming_answers& answers,
                                       poller& sockets, const poller::notify_function& notify,
                                       forward_id id, forward_request request)
  : session_(session),
    answers_(answers),
    answer_(answers),
    sockets_(sockets),
    notify_(notify),
    id_(id),
    request_(std::move(request)),
    channel_(ssh_channel_new(session)) {
  callbacks_.userdata = this;
  callbacks_.channel_data_function = on_data;
  callbacks_.channel_eof_function = on_eof;
  callbacks_.channel_close_function = on_close;
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_.get(), &callbacks_);
}

forwarding_channel::~forwarding_channel() {
  ssh_remove_channel_callbacks(channel_.get(), &callbacks_);
}

void forwarding_channel::notice_open() {
  if (state_ != state::opening || ssh_channel_is_open(channel_.get()) == 0)
    return;
  answer_.came();
  state_ = state::open;
}

void forwarding_channel::advance(std::vector<connection_event>& events) {
  if (has_news_->exchange(false))
    is_readable_ = is_writable_ = true;
  has_more_ = waits_for_flush_ = false;
  if (state_ == state::opening && is_usable(session_))
    open(events);
  if (state_ == state::open && !note_)
    hand_over(events);
  if (state_ == state::open) {
    deliver();
    submit();
    end_when_done(events);
  }
  if (state_ == state::closing)
    close();
  arm();
}

void forwarding_channel::open(std::vector<connection_event>& events) {
  const int status = answer_.ask_for_channel([this] {
    // RFC 4254 §7.2: the originator is for the server's log.
    return ssh_channel_open_forward(channel_.get(), request_.host.c_str(), request_.port,
                                    "127.0.0.1", 0);
  });
  if (status == SSH_OK) {
    state_ = state::open;
  } else if (status == SSH_ERROR && is_usable(session_)) {
    state_ = state::ended;
    events.emplace_back(
      event::forward_refused{id_, to_error(refusal_of(answer_.channel(), session_))});
  }
}

void forwarding_channel::hand_over(std::vector<connection_event>& events) {
  socket_pair pair = make_socket_pair();
  if (!pair.first) {
    state_ = state::closing;
    events.emplace_back(event::forward_refused{id_, from_errno(errno)});
    return;
  }
  note_ = std::make_shared<carrier_note>();
  socket_ = std::move(pair.first);
  registration_ = sockets_.add(socket_.get(), [has_news = has_news_, notify = notify_] {
    has_news->store(true);
    notify();
  });
  events.emplace_back(event::forwarded{
    id_, std::make_shared<carried_stream>(carried_stream{std::move(pair.second), note_})});
}

void forwarding_channel::deliver() {
  while (is_writable_ && (!arrived_.empty() || take_held_back())) {
    delivered_ += send_to_socket(std::string_view{arrived_}.substr(delivered_));
    if (delivered_ == arrived_.size()) {
      arrived_.clear();
      delivered_ = 0;
    }
  }
}

/// How much of it the socket took; all when nobody will ever read it.
std::size_t forwarding_channel::send_to_socket(std::string_view data) {
  if (is_deaf_)
    return data.size();
  const ssize_t sent = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
  if (sent >= 0)
    return static_cast<std::size_t>(sent);
  if (would_block(errno)) {
    is_writable_ = false;
    return 0;
  }
  is_deaf_ = is_readable_ = true;
  return data.size();
}

/// Whether there was anything. All of it is taken: libssh opens the window again as soon as some of
/// it was read, so what is left would grow.
bool forwarding_channel::take_held_back() {
  if (held_back_ == 0)
    return false;
  arrived_.resize(held_back_);
  const int read = ssh_channel_read_nonblocking(channel_.get(), arrived_.data(),
                                                static_cast<std::uint32_t>(arrived_.size()), 0);
  arrived_.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  held_back_ = read > 0 ? held_back_ - arrived_.size() : 0;
  return read > 0;
}

void forwarding_channel::submit() {
  std::size_t left = most_at_a_turn;
  while (!closed_by_server_ && is_usable(session_)) {
    // libssh would keep whatever the connection does not take.
    const std::size_t window = ssh_channel_window_size(channel_.get());
    if (window == 0)
      return look_for_its_end();
    if (ssh_blocking_flush(session_, 0) != SSH_OK) {
      waits_for_flush_ = true;
      return;
    }
    if (left == 0) {
      has_more_ = is_readable_;
      return;
    }
    if (to_send_.empty() && !receive_from_socket(std::min({window, piece, left})))
      return;
    const int written = ssh_channel_write(channel_.get(), to_send_.data(),
                                          static_cast<std::uint32_t>(to_send_.size()));
    if (written <= 0)
      return;
    to_send_.erase(0, static_cast<std::size_t>(written));
    left -= std::min(left, static_cast<std::size_t>(written));
  }
}

/// False when there is nothing, or never will be again.
bool forwarding_channel::receive_from_socket(std::size_t most) {
  if (!is_readable_ || is_left_)
    return false;
  to_send_.resize(most);
  const ssize_t received = ::recv(socket_.get(), to_send_.data(), most, 0);
  to_send_.resize(received > 0 ? static_cast<std::size_t>(received) : 0);
  if (received > 0)
    return true;
  is_readable_ = false;
  is_left_ = received == 0 || !would_block(errno);
  return false;
}

void forwarding_channel::look_for_its_end() {
  pollfd query{socket_.get(), 0, 0};
  is_left_ = is_left_ || (::poll(&query, 1, 0) == 1 && (query.revents & POLLHUP) != 0);
}

void forwarding_channel::end_when_done(std::vector<connection_event>& events) {
  const bool all_delivered = arrived_.empty() && held_back_ == 0;
  const bool gives_up = held_back_ > most_beyond_window;
  if (server_is_done_ && all_delivered && !std::exchange(told_socket_, true))
    ::shutdown(socket_.get(), SHUT_WR);
  if (!is_left_ && !gives_up && !(closed_by_server_ && all_delivered))
    return;
  registration_ = {};
  socket_ = {};
  arrived_.clear();
  held_back_ = 0;
  state_ = state::closing;
  events.emplace_back(event::forward_closed{id_});
}

void forwarding_channel::close() {
  if (!close_was_sent_ && is_usable(session_)) {
    const int status = ssh_channel_close(channel_.get());
    close_was_sent_ = status == SSH_OK;
    waits_for_flush_ = status == SSH_AGAIN;
  }
  if (closed_by_server_ && (close_was_sent_ || !is_usable(session_)))
    state_ = state::ended;
}

void forwarding_channel::arm() {
  if (state_ != state::open || !registration_)
    return;
  const bool writes = !is_writable_ && (!arrived_.empty() || held_back_ > 0);
  if (writes)
    registration_.arm(is_readable_ ? poller::interest::write : poller::interest::read_write);
  else
    registration_.arm(is_readable_ ? poller::interest::hang_up : poller::interest::read);
}

bool forwarding_channel::holds_too_much() const {
  return held_back_ > beyond_any_window;
}

void forwarding_channel::tell_end(const error& why) const {
  if (note_)
    note_->write(why);
}

int forwarding_channel::on_data(ssh_session, ssh_channel, void* data, std::uint32_t length,
                                int is_stderr, void* self) {
  auto& channel = *static_cast<forwarding_channel*>(self);
  ++channel.answers_.others;
  // Nobody takes it any more, or ever did.
  if (channel.state_ == state::closing || channel.state_ == state::ended || is_stderr != 0)
    return static_cast<int>(length);
  std::size_t taken = 0;
  // Until the channel's opening was noticed, there is no socket.
  if (channel.socket_ && channel.is_writable_ && channel.arrived_.empty())
    taken = channel.send_to_socket({static_cast<const char*>(data), length});
  channel.held_back_ = length - taken;
  return static_cast<int>(taken);
}

void forwarding_channel::on_eof(ssh_session, ssh_channel, void* self) {
  auto& channel = *static_cast<forwarding_channel*>(self);
  ++channel.answers_.others;
  channel.server_is_done_ = true;
}

void forwarding_channel::on_close(ssh_session, ssh_channel, void* self) {
  auto& channel = *static_cast<forwarding_channel*>(self);
  ++channel.answers_.others;
  channel.closed_by_server_ = true;
}

} // namespace sshexec::ssh
