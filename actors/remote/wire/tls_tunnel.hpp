#pragma once

#include "sshexec/actors/remote/wire/tls_stream.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <poll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sshexec {

/// Carries bytes both ways between a TLS connection and a socket in this process behind which CAF
/// speaks in the clear, until one of them ends. What has arrived by then is still delivered, for a
/// bounded time. Memory is bounded too: a side that does not read stops the other. Never blocks;
/// for one thread.
class tls_tunnel {
public:
  using clock = std::chrono::steady_clock;

  /// How long the rest may take once a side has ended: what the sockets hold is little.
  static constexpr std::chrono::seconds flush_time{5};

  /// `secure` is past its handshake; both sockets are non-blocking.
  tls_tunnel(tls_stream secure, ssh::file_descriptor plain);

  enum class progress : std::uint8_t {
    /// Nothing can be done before one of the sockets has an event.
    waiting,
    /// It has done its share for now, others may have their turn.
    busy,
    ended,
  };

  progress advance();

  [[nodiscard]] const tls_stream& secure() const { return secure_; }

  /// What to wait for: on the TLS connection's socket, and on the plain one.
  [[nodiscard]] std::array<pollfd, 2> events() const;

  /// To the peer, so far.
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  /// When `advance` is to be called even without an event.
  [[nodiscard]] std::optional<clock::time_point> deadline() const { return deadline_; }

private:
  struct direction {
    [[nodiscard]] bool empty() const { return begin == end; }

    std::vector<char> buffer;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool source_ended = false;
    bool target_ended = false;
  };

  bool receive_secure();
  bool send_plain();
  bool receive_plain();
  bool send_secure();
  void note_status(tls_stream::status status, bool& ended);
  /// Says good-bye to the peer when CAF has nothing more for it.
  void close_outbound();
  [[nodiscard]] bool is_over();
  /// Whether CAF has given up on a peer that does not take what it is sent.
  [[nodiscard]] bool plain_hung_up() const;

  tls_stream secure_;
  ssh::file_descriptor plain_;
  direction inbound_;
  direction outbound_;
  bool secure_wants_write_ = false;
  bool said_goodbye_ = false;
  std::uint64_t bytes_sent_ = 0;
  std::optional<clock::time_point> deadline_;
};

/// Runs a tunnel to its end on the calling thread.
void run_tunnel(tls_tunnel& tunnel);

} // namespace sshexec
