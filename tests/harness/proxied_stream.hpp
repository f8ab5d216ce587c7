#pragma once

#include "sshexec/testing/faulty_proxy.hpp"
#include "sshexec/testing/loopback.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace sshexec::testing {

/// The bytes of a connection on their way from one socket to the other.
class proxied_stream {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Takes some bytes from a readable sender; false if it has reset the connection.
  bool take(const file_descriptor& sender, const network& through, time_point now);

  /// Forgets what is on its way.
  void drop();

  /// Changes a byte that is on its way, once; it counts those since the last `restart_count`.
  void damage(std::uint64_t at_byte);

  /// Hands on what has arrived by now, `limit` bytes at the most, and then the end of the stream;
  /// false if the receiver is gone.
  bool deliver(const file_descriptor& receiver, time_point now, std::uint64_t limit);

  /// Whether the sender may go on.
  [[nodiscard]] bool has_room(time_point now) const;

  /// Whether bytes have arrived that the receiver did not take.
  [[nodiscard]] bool is_blocked() const { return blocked_; }

  /// When there is something to do next, apart from what the sockets tell.
  [[nodiscard]] time_point next(time_point now) const;

  /// The receiver knows that no more will come.
  [[nodiscard]] bool finished() const { return finished_; }

  /// Bytes handed on since the last `restart_count`.
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }

  void restart_count() {
    delivered_ = 0;
    damaged_ = false;
  }

private:
  /// Bytes that arrive together; none for the end of the stream.
  struct chunk {
    time_point arrival;
    std::string data;
  };

  std::deque<chunk> chunks_;
  std::size_t waiting_ = 0;
  std::uint64_t delivered_ = 0;
  bool damaged_ = false;
  /// When the line has sent what it was given.
  time_point line_free_{};
  bool ended_ = false;
  bool blocked_ = false;
  bool finished_ = false;
};

} // namespace sshexec::testing
