#pragma once

#include "sshexec/ssh/carried_stream.hpp"
#include "sshexec/ssh/channel_requests.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/poller.hpp"

#include <libssh/callbacks.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// A direct-tcpip channel (RFC 4254 §7.2): the server connects to an address, and what it says
/// there is carried by a socket pair, whose other end is somebody's. Each side's pace is the
/// other's: what the socket does not take stays in the channel's window, and what the window does
/// not take stays in the socket.
class forwarding_channel {
public:
  /// The session, the count of its answers and the poller must outlive the channel. `notify` is
  /// called when the socket has news.
  forwarding_channel(ssh_session session, incoming_answers& answers, poller& sockets,
                     const poller::notify_function& notify, forward_id id, forward_request request);
  forwarding_channel(const forwarding_channel&) = delete;
  forwarding_channel& operator=(const forwarding_channel&) = delete;
  ~forwarding_channel();

  /// Whether the server has not answered the request for it.
  [[nodiscard]] bool is_opening() const { return state_ == state::opening; }

  /// Notes that the server opened it, which can be told without a look for the answer.
  void notice_open();

  /// Does all that can be done now; appends what happened to `events`.
  void advance(std::vector<connection_event>& events);

  /// Whether the channel is of no more use: closed by both sides, or never opened.
  [[nodiscard]] bool ended() const { return state_ == state::ended; }

  /// Whether there is more to do that no news will tell of.
  [[nodiscard]] bool has_more() const { return has_more_; }

  /// Whether it goes on as soon as libssh has nothing left to write.
  [[nodiscard]] bool waits_for_flush() const { return waits_for_flush_; }

  /// Whether libssh holds more back than any window that it ever granted.
  [[nodiscard]] bool holds_too_much() const;

  /// Whether what comes for it can be taken in.
  [[nodiscard]] bool needs_reading() const { return state_ != state::ended && held_back_ == 0; }

  /// Tells whoever holds the other end why it is about to end.
  void tell_end(const error& why) const;

private:
  enum class state : std::uint8_t {
    /// The server has not answered the request for a channel.
    opening,
    open,
    /// The socket is closed; only the server's close is awaited.
    closing,
    ended,
  };

  void open(std::vector<connection_event>& events);
  void hand_over(std::vector<connection_event>& events);
  /// From the server to the socket.
  void deliver();
  std::size_t send_to_socket(std::string_view data);
  bool take_held_back();
  /// From the socket to the server.
  void submit();
  bool receive_from_socket(std::size_t most);
  /// Without reading what it said before.
  void look_for_its_end();
  void end_when_done(std::vector<connection_event>& events);
  void close();
  void arm();

  static int on_data(ssh_session session, ssh_channel channel, void* data, std::uint32_t length,
                     int is_stderr, void* self);
  static void on_eof(ssh_session session, ssh_channel channel, void* self);
  static void on_close(ssh_session session, ssh_channel channel, void* self);

  ssh_session session_;
  incoming_answers& answers_;
  awaited_answer answer_;
  poller& sockets_;
  poller::notify_function notify_;
  forward_id id_;
  forward_request request_;
  state state_ = state::opening;
  bool has_more_ = false;
  bool waits_for_flush_ = false;

  std::shared_ptr<carrier_note> note_;
  file_descriptor socket_;
  // Declared behind the socket, so that it leaves the poller before the socket closes.
  poller::registration registration_;
  /// Set by the poller's threads.
  std::shared_ptr<std::atomic<bool>> has_news_ = std::make_shared<std::atomic<bool>>(false);
  bool is_readable_ = true;
  bool is_writable_ = true;
  /// The other end of the socket pair takes nothing any more; what it said before is still there.
  bool is_deaf_ = false;
  /// The other end is closed, and all that it said was read.
  bool is_left_ = false;

  /// Received from the server, and how much of it the socket took.
  std::string arrived_;
  std::size_t delivered_ = 0;
  /// Bytes that libssh holds because there was no room for them here.
  std::size_t held_back_ = 0;
  bool server_is_done_ = false;
  bool closed_by_server_ = false;
  bool told_socket_ = false;
  /// Received from the socket and not sent.
  std::string to_send_;
  bool close_was_sent_ = false;

  ssh_channel_callbacks_struct callbacks_{};
  channel_handle channel_;
};

} // namespace sshexec::ssh
