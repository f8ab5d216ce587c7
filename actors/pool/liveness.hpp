#pragma once

#include "sshexec/actors/runtime/time.hpp"

#include <cstdint>

namespace sshexec {

/// Whether the peer of one connection still lives: any byte that arrives is a sign of life.
class liveness {
public:
  enum class verdict : std::uint8_t {
    /// Nothing to be done until the next deadline.
    wait,
    /// Ask the peer for a sign of life.
    ask,
    /// It was silent for too long.
    lost,
  };

  /// A peer that is silent for so many intervals is lost.
  static constexpr int silent_intervals = 3;

  /// A peer that is silent for an interval is asked.
  liveness(duration interval, time_point now)
    : interval_(interval), last_heard_(now), next_look_(now + interval) {}

  /// How many bytes ever arrived; to be told after each chance to read.
  void heard(std::uint64_t bytes, time_point now);

  /// To be asked when the deadline has passed. A connection that is not being read says nothing
  /// about its peer, so its silence does not count.
  verdict look(time_point now, bool is_read);

  [[nodiscard]] time_point deadline() const { return next_look_; }

  /// Whether nothing was heard since the peer was asked for a sign of life.
  [[nodiscard]] bool is_in_doubt() const { return silent_looks_ > 0; }

  [[nodiscard]] duration silence(time_point now) const { return now - last_heard_; }

private:
  verdict wait_until(time_point next);

  duration interval_;
  time_point last_heard_;
  time_point next_look_;
  std::uint64_t bytes_ = 0;
  /// Counted rather than measured: where this process itself was held up, the peer gets its chance.
  int silent_looks_ = 0;
};

} // namespace sshexec
