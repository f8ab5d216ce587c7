#include "sshexec/ssh/authentication.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/dialer.hpp"
#include "sshexec/ssh/disconnect_reason.hpp"
#include "sshexec/ssh/exec_channel.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/forwarding_channel.hpp"
#include "sshexec/ssh/handles.hpp"
#include "sshexec/ssh/session_setup.hpp"
#include "sshexec/ssh/session_traffic.hpp"

#include <fcntl.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <utility>

namespace sshexec::ssh {

namespace {

/// libssh reads so much at once; what comes in less than that was all there was.
constexpr std::uint64_t libssh_read_size = 4096;

void set_non_blocking(int socket) {
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

/// Lets the kernel notice a peer that is gone (tcp(7)).
void watch_peer(int socket, std::chrono::milliseconds bound) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
  const auto timeout = static_cast<unsigned>(bound.count());
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

/// Lets what is sent from now on leave together when it is uncorked (tcp(7), TCP_CORK): libssh
/// writes each packet by itself, and what a segment costs, here and at the server, is more than
/// what is in it.
void set_corked(int socket, bool corked) {
  const int value = corked ? 1 : 0;
  ::setsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

/// What is not read when a socket closes makes it a reset, which may overtake the good-bye.
void read_rest(int socket) {
  std::array<char, 4096> ignored{};
  for (int i = 0; i < 64 && ::recv(socket, ignored.data(), ignored.size(), MSG_DONTWAIT) > 0; ++i) {
  }
}

/// Lets libssh close its socket in any case, as if it had not been given it: only libssh knows
/// whether it did so already, and the number is another's then.
void let_libssh_close(ssh_session session) {
  const int none = -1;
  ssh_options_set(session, SSH_OPTIONS_FD, &none);
}

/// Whether libssh tells of what a network can do to a socket, and not of a descriptor that it
/// closed.
bool is_of_network(const std::string& text) {
  constexpr std::array errors{ECONNRESET,  ECONNABORTED, ENETRESET, EPIPE,   ETIMEDOUT, ENETDOWN,
                              ENETUNREACH, EHOSTUNREACH, EHOSTDOWN, ENOBUFS, ENOMEM};
  return text.ends_with("disconnected") || std::any_of(errors.begin(), errors.end(), [&](int code) {
           return text.ends_with(from_errno(code).text);
         });
}

/// Speaks SSH through libssh over a socket of its own.
class libssh_connection final : public connection {
public:
  libssh_connection(connection_settings settings, std::shared_ptr<poller> sockets,
                    poller::notify_function notify)
    : settings_(std::move(settings)), sockets_(std::move(sockets)), notify_(std::move(notify)) {
    if (!settings_.carrier)
      dialer_.emplace(settings_.addresses, *sockets_, notify_);
  }

  ~libssh_connection() override { disconnect(); }

  std::vector<connection_event> advance() override;

  void flush() override;

  bool try_next_address() override { return dialer_ && dialer_->start_next(); }

  void authenticate() override;

  void start(exec_id id, exec_request request) override;
  void open_spare() override;
  void close_spare() override;
  void write(exec_id id, std::string data, bool end) override;
  void grant(exec_id id, std::uint64_t bytes) override;
  void signal(exec_id id, std::string_view name) override;
  exec_outcome abandon(exec_id id) override;
  void forward(forward_id id, forward_request request) override;
  void send_keepalive() override;

  [[nodiscard]] bool is_reading() const override { return !must_not_read(); }

  [[nodiscard]] bool is_opening_channel() const override;

  [[nodiscard]] bool has_password_in_doubt() const override {
    return login_ && login_->has_password_in_doubt();
  }

  [[nodiscard]] std::uint64_t bytes_received() const override { return traffic_.received(); }

private:
  enum class state : std::uint8_t {
    dialing,
    /// Banners and key exchange.
    handshaking,
    /// The owner decides about the host key.
    presenting_host_key,
    authenticating,
    established,
    over,
  };

  void dial();
  void transport_connected(file_descriptor socket);
  void begin_session(file_descriptor socket);
  void handshake();
  void present_host_key();
  void log_in();
  void accepted();
  void pump();
  bool read(std::uint64_t bound);
  [[nodiscard]] bool must_not_read() const;
  void advance_channels();
  void arm();
  void lose(error reason);
  [[nodiscard]] bool forwards_have_more() const;
  void end_forwards(const error& why);
  void lose_session();
  [[nodiscard]] error session_error();
  [[nodiscard]] error forgotten_reason() const;

  /// None any more when libssh has closed it, which it does whenever it finds the connection
  /// broken: the number is to be asked for at each use, for it may be another's next.
  [[nodiscard]] int socket() const { return ssh_get_fd(session_.get()); }

  void disconnect();

  connection_settings settings_;
  std::shared_ptr<poller> sockets_;
  poller::notify_function notify_;
  state state_ = state::dialing;
  std::optional<dialer> dialer_;
  session_traffic traffic_;
  incoming_answers answers_;
  session_handle session_;
  event_handle event_;
  poller::registration registration_;
  bool found_connected_ = false;
  std::optional<authentication> login_;
  /// Whether libssh has something to write that the socket did not take.
  bool write_pending_ = false;
  /// Whether what is sent waits for the flush.
  bool corked_ = false;
  /// Whether the owner asked for something since the last advance, which needs no news.
  bool asked_ = false;
  /// Whether there is more to do that no news from the socket will tell of.
  bool unfinished_ = false;
  // Declared behind the session, which must outlive its channels.
  std::unique_ptr<exec_channel> spare_;
  std::map<exec_id, std::unique_ptr<exec_channel>> channels_;
  std::map<forward_id, std::unique_ptr<forwarding_channel>> forwards_;
  std::vector<connection_event> events_;
};

std::vector<connection_event> libssh_connection::advance() {
  if (state_ == state::dialing)
    dial();
  if (session_ && state_ != state::over && !std::exchange(corked_, true))
    set_corked(socket(), true);
  if (state_ == state::handshaking)
    handshake();
  if (state_ == state::authenticating)
    log_in();
  if (state_ == state::established)
    pump();
  // A socket that libssh has closed meanwhile will bring no news of that.
  if (session_ && socket() < 0)
    lose_session();
  arm();
  return std::exchange(events_, {});
}

void libssh_connection::flush() {
  if (std::exchange(corked_, false))
    set_corked(socket(), false);
}

void libssh_connection::dial() {
  if (settings_.carrier)
    return transport_connected(std::move(settings_.carrier->socket));
  auto outcome = dialer_->advance();
  if (!outcome)
    return;
  if (!*outcome)
    return lose(outcome->error());
  dialer_.reset();
  transport_connected(std::move(**outcome));
}

void libssh_connection::transport_connected(file_descriptor socket) {
  events_.emplace_back(event::transport_connected{is_one_of_the_last(socket.get())});
  begin_session(std::move(socket));
}

void libssh_connection::begin_session(file_descriptor socket) {
  watch_peer(socket.get(), settings_.peer_timeout);
  session_ = make_session(socket.get(), settings_);
  if (!session_)
    return lose({error_kind::shortage, "cannot set up an SSH session"});
  ssh_set_counters(session_.get(), traffic_.counter(), &answers_.packets);
  registration_ = sockets_->add(socket.get(), notify_);
  socket.release();
  state_ = state::handshaking;
}

void libssh_connection::handshake() {
  const int status = traffic_.repeat(SSH_AGAIN, [this] {
    // libssh may tell of an error that was another call's.
    errno = 0;
    const int result = ssh_connect(session_.get());
    // libssh makes the socket blocking when it finds it connected, just before it sends the first.
    if (!found_connected_ && traffic_.sent() > 0) {
      found_connected_ = true;
      set_non_blocking(socket());
    }
    return result;
  });
  if (status == SSH_OK)
    present_host_key();
  else if (status == SSH_ERROR)
    lose_session();
}

void libssh_connection::present_host_key() {
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session_.get(), &raw) != SSH_OK)
    return lose({error_kind::protocol, "the server presented no host key"});
  const std::unique_ptr<ssh_key_struct, decltype(&ssh_key_free)> key{raw, ssh_key_free};
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key.get(), &base64) != SSH_OK)
    return lose({error_kind::protocol, "the server's host key cannot be read"});
  events_.emplace_back(
    event::host_key_presented{{ssh_key_type_to_char(ssh_key_type(key.get())), base64}});
  ssh_string_free_char(base64);
  state_ = state::presenting_host_key;
}

void libssh_connection::authenticate() {
  login_.emplace(session_.get(), settings_, traffic_, *sockets_, notify_);
  state_ = state::authenticating;
}

void libssh_connection::log_in() {
  switch (login_->advance()) {
    case authentication::progress::waiting:
      return;
    case authentication::progress::accepted:
      return accepted();
    case authentication::progress::refused:
      return lose(login_->refusal());
    case authentication::progress::broken:
      return lose_session();
  }
}

void libssh_connection::accepted() {
  login_.reset();
  // Nothing needs them any more, so they need not stay in memory.
  settings_.keys.clear();
  settings_.password = {};
  event_.reset(ssh_event_new());
  ssh_event_add_session(event_.get(), session_.get());
  state_ = state::established;
  events_.emplace_back(event::authenticated{});
}

void libssh_connection::start(exec_id id, exec_request request) {
  const bool takes_spare = request.takes_spare && spare_ && spare_->is_spare();
  auto channel
    = takes_spare ? std::move(spare_) : std::make_unique<exec_channel>(session_.get(), answers_);
  channel->assign(id, std::move(request));
  channels_.emplace(id, std::move(channel));
  asked_ = true;
}

void libssh_connection::open_spare() {
  if (spare_ || state_ != state::established)
    return;
  spare_ = std::make_unique<exec_channel>(session_.get(), answers_);
  asked_ = true;
}

void libssh_connection::close_spare() {
  if (spare_)
    spare_->close();
}

void libssh_connection::write(exec_id id, std::string data, bool end) {
  if (const auto i = channels_.find(id); i != channels_.end())
    i->second->write(std::move(data), end);
  asked_ = true;
}

void libssh_connection::grant(exec_id id, std::uint64_t bytes) {
  if (const auto i = channels_.find(id); i != channels_.end())
    i->second->grant(bytes);
}

void libssh_connection::signal(exec_id id, std::string_view name) {
  if (const auto i = channels_.find(id); i != channels_.end() && state_ == state::established)
    i->second->signal(name);
}

exec_outcome libssh_connection::abandon(exec_id id) {
  const auto i = channels_.find(id);
  return i != channels_.end() ? i->second->abandon() : exec_outcome{};
}

void libssh_connection::forward(forward_id id, forward_request request) {
  forwards_.emplace(id, std::make_unique<forwarding_channel>(session_.get(), answers_, *sockets_,
                                                             notify_, id, std::move(request)));
  asked_ = true;
}

bool libssh_connection::is_opening_channel() const {
  return (spare_ && spare_->is_opening())
         || std::any_of(channels_.begin(), channels_.end(),
                        [](const auto& x) { return x.second->is_opening(); });
}

void libssh_connection::send_keepalive() {
  if (state_ != state::established)
    return;
  // The first call after an answer only collects that answer.
  if (ssh_send_keepalive(session_.get()) != SSH_AGAIN)
    ssh_send_keepalive(session_.get());
}

void libssh_connection::pump() {
  unfinished_ = false;
  // What may have arrived is told when the owner's wish is seen to, if it was not already.
  bool may_read = !std::exchange(asked_, false);
  const std::uint64_t bound = bytes_received() + max_bytes_per_advance;
  for (;;) {
    const bool readable = !std::exchange(may_read, true) || must_not_read() || read(bound);
    // A channel's request may read what its neighbours wait for, so the end is reached only when
    // neither the channels nor the flush read anything.
    const std::uint64_t read_before = bytes_received();
    advance_channels();
    if (!readable || !is_usable(session_.get()))
      return lose_session();
    write_pending_ = ssh_blocking_flush(session_.get(), 0) != SSH_OK;
    if (bytes_received() == read_before)
      return;
    if (bytes_received() >= bound) {
      unfinished_ = true;
      return;
    }
  }
}

/// Reads until nothing is left or the bound is reached; false when the session broke.
bool libssh_connection::read(std::uint64_t bound) {
  std::uint64_t read_before = 0;
  do {
    read_before = bytes_received();
    if (ssh_event_dopoll(event_.get(), 0) == SSH_ERROR || !is_usable(session_.get()))
      return false;
  } while (bytes_received() >= read_before + libssh_read_size && bytes_received() < bound);
  return true;
}

/// Whether a channel holds so much back that only its owner's grant can help, and no other one
/// needs to be read for.
bool libssh_connection::must_not_read() const {
  const auto holds_too_much = [](const auto& x) { return x.second->holds_too_much(); };
  const auto needs_reading = [](const auto& x) { return x.second->needs_reading(); };
  return (std::any_of(channels_.begin(), channels_.end(), holds_too_much)
          || std::any_of(forwards_.begin(), forwards_.end(), holds_too_much))
         && std::none_of(channels_.begin(), channels_.end(), needs_reading)
         && std::none_of(forwards_.begin(), forwards_.end(), needs_reading);
}

void libssh_connection::advance_channels() {
  if (spare_)
    spare_->notice_open();
  for (auto& [id, channel] : channels_)
    channel->notice_open();
  for (auto& [id, channel] : forwards_)
    channel->notice_open();
  const std::uint64_t arrived = answers_.arrived();
  if (spare_) {
    spare_->advance(events_);
    if (spare_->ended())
      spare_.reset();
  }
  for (auto i = channels_.begin(); i != channels_.end();) {
    i->second->advance(events_);
    i = i->second->ended() ? channels_.erase(i) : std::next(i);
  }
  // When the session broke, its end is told first to those who hold the streams.
  for (auto i = forwards_.begin(); i != forwards_.end() && is_usable(session_.get());) {
    i->second->advance(events_);
    i = i->second->ended() ? forwards_.erase(i) : std::next(i);
  }
  // All that wait for an answer have looked at these.
  if (answers_.arrived() == arrived)
    answers_.found = arrived;
}

void libssh_connection::arm() {
  // Nothing is read while the host key is decided on, or while an agent is waited for, so being
  // told of it would never end.
  const bool reads = state_ != state::over && state_ != state::presenting_host_key
                     && !(login_ && login_->waits_for_agent());
  if (!registration_ || !reads)
    return;
  const bool writing = state_ == state::established
                         ? write_pending_
                         : (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) != 0;
  // What is left to be done is in libssh or in a socket already, and neither side may have anything
  // to say.
  if (unfinished_ || forwards_have_more())
    return notify_();
  if (must_not_read()) {
    if (writing)
      registration_.arm(poller::interest::write);
    return;
  }
  registration_.arm(writing ? poller::interest::read_write : poller::interest::read);
}

/// Whether a forwarded stream can go on at once.
bool libssh_connection::forwards_have_more() const {
  return std::any_of(forwards_.begin(), forwards_.end(), [this](const auto& x) {
    return x.second->has_more() || (x.second->waits_for_flush() && !write_pending_);
  });
}

void libssh_connection::lose(error reason) {
  if (state_ == state::over)
    return;
  state_ = state::over;
  // What became of who carried it tells more than that it ended, and is no reason to say a password
  // again.
  if (const auto why = settings_.carrier ? settings_.carrier->note->read() : std::nullopt) {
    const std::string of_carrier = settings_.carrier->carrier + ": " + why->text;
    if (has_password_in_doubt())
      reason.text += "; " + of_carrier;
    else
      reason = {error_kind::dropped, of_carrier};
  }
  end_forwards(reason);
  events_.emplace_back(event::lost{std::move(reason)});
}

void libssh_connection::end_forwards(const error& why) {
  for (const auto& [id, channel] : forwards_)
    channel->tell_end(why);
  forwards_.clear();
}

void libssh_connection::lose_session() {
  lose(session_error());
}

error libssh_connection::session_error() {
  std::string text = ssh_get_error(session_.get());
  unsigned reason = 0;
  // NOLINTNEXTLINE(cert-err34-c): a text without a number is no disconnect message.
  const bool took_leave
    = std::sscanf(text.c_str(), "Received SSH_MSG_DISCONNECT: %u", &reason) == 1;
  if (state_ == state::authenticating) {
    if (auto refusal = login_->refusal_by_end(text, reason))
      return std::move(*refusal);
    text = login_->cleaned(std::move(text));
  }
  if (took_leave) {
    const bool misunderstood = reason == disconnect_reason::protocol_error
                               || reason == disconnect_reason::key_exchange_failed;
    return {misunderstood ? error_kind::protocol : error_kind::dropped, text};
  }
  if (state_ == state::handshaking && text.starts_with("Socket error") && !is_of_network(text))
    return forgotten_reason();
  // A socket that breaks before its first use is told by the plain text of its errno; whatever was
  // said, a peer that sent nothing broke no rule.
  if (text.starts_with("Socket error") || bytes_received() == 0)
    return {error_kind::dropped, text};
  return {error_kind::protocol, text};
}

/// libssh closed the socket over what it read, and forgot why when it could not write any more.
error libssh_connection::forgotten_reason() const {
  // Only then it gives away how the server took its leave.
  ssh_disconnect(session_.get());
  if (const char* farewell = ssh_get_disconnect_message(session_.get()))
    return {error_kind::dropped, std::string{"Received SSH_MSG_DISCONNECT: "} + farewell};
  return {error_kind::protocol,
          "the key exchange failed: the server has no algorithm in common with us, or broke the "
          "protocol"};
}

void libssh_connection::disconnect() {
  if (!session_)
    return;
  flush();
  end_forwards({error_kind::dropped, "it was closed"});
  channels_.clear();
  spare_.reset();
  registration_ = {};
  login_.reset();
  // The last to close, when what is left has been read.
  const file_descriptor closed_last{::fcntl(socket(), F_DUPFD_CLOEXEC, 0)};
  // It writes once for each time that it finds the socket writable, and would keep the good-bye to
  // itself behind what the channels just sent: their first packet, the rest, and then it is ready.
  for (int i = 0; i < 3 && event_ && is_usable(session_.get()); ++i)
    ssh_event_dopoll(event_.get(), 0);
  let_libssh_close(session_.get());
  ssh_disconnect(session_.get());
  read_rest(closed_last.get());
  event_.reset();
  session_.reset();
}

} // namespace

connection_factory make_connection_factory(std::shared_ptr<poller> sockets) {
  return
    [sockets = std::move(sockets)](connection_settings settings, poller::notify_function notify) {
      return std::make_unique<libssh_connection>(std::move(settings), sockets, std::move(notify));
    };
}

} // namespace sshexec::ssh
