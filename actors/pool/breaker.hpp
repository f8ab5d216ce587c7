#pragma once

#include "sshexec/actors/runtime/time.hpp"

#include <cstdint>
#include <optional>

namespace sshexec {

/// Keeps a machine that failed again and again from being tried for a while. A round is a series of
/// attempts to connect at whose end a command was given up.
class breaker {
public:
  /// Opens after `threshold` failed rounds in a row, for `pause`; never if `threshold` is 0.
  explicit breaker(std::uint32_t threshold = 0, duration pause = duration{0})
    : threshold_(threshold), pause_(pause) {}

  /// Whether commands are to fail at once.
  [[nodiscard]] bool is_open(time_point now) const { return open_until_ && now < *open_until_; }

  /// Whether the next round is a probe: one attempt, which decides about the next pause.
  [[nodiscard]] bool is_probing() const { return open_until_.has_value(); }

  void round_failed(time_point now) {
    if (threshold_ > 0 && ++failed_rounds_ >= threshold_)
      open(now);
    else
      open_until_.reset();
  }

  /// Whatever the threshold.
  void open(time_point now) { open_until_ = now + pause_; }

  void connected() {
    failed_rounds_ = 0;
    open_until_.reset();
  }

private:
  std::uint32_t threshold_;
  duration pause_;
  std::uint32_t failed_rounds_ = 0;
  std::optional<time_point> open_until_;
};

} // namespace sshexec
