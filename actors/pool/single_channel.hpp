#pragma once

#include "sshexec/actors/runtime/time.hpp"

#include <chrono>
#include <optional>

namespace sshexec {

/// Whether a machine gets one channel at a time. Some servers (network devices, small ones) end the
/// connection when a second channel is asked for, instead of refusing it (RFC 4254 §5.1).
class single_channel {
public:
  /// A first loss may be another fault's, and limits the machine for so long.
  static constexpr auto suspicion = std::chrono::minutes{1};

  /// A connection ended before it answered the request for a second channel.
  void ended_at_second(time_point now) {
    is_certain_ = suspected_until_.has_value();
    suspected_until_ = now + suspicion;
  }

  [[nodiscard]] bool holds(time_point now) const {
    return is_certain_ || (suspected_until_ && now < *suspected_until_);
  }

private:
  std::optional<time_point> suspected_until_;
  bool is_certain_ = false;
};

} // namespace sshexec
