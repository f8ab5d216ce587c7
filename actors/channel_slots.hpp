#pragma once

#include <algorithm>
#include <cstdint>

namespace sshexec {

/// How many channels of one connection may be open at once, learned from what its server refuses
/// (RFC 4254 §5.1). A channel counts until its close arrived, as it does for the server.
class channel_slots {
public:
  explicit channel_slots(std::uint32_t most = 1) : most_(most), limit_(most) {}

  /// One more channel is being opened.
  void take() { last_is_first_ = open_++ == 0; }

  /// A channel's close arrived.
  void give_back() { --open_; }

  /// The server refused a channel, which is given back: it takes no more than those that are open.
  /// Tells whether it had none open when it refused: servers answer in order, so a refusal that
  /// leaves none open is of the last channel taken, and only earlier ones could have been open.
  bool refused() {
    give_back();
    limit_ = std::max(open_, 1U);
    served_since_refusal_ = 0;
    return open_ == 0 && last_is_first_;
  }

  /// A command got as far as its exec request. The server may have ended sessions by now that
  /// counted when it refused one: after as many commands as the limit, one channel more is tried.
  void served() {
    if (limit_ == most_ || ++served_since_refusal_ < limit_)
      return;
    ++limit_;
    served_since_refusal_ = 0;
  }

  [[nodiscard]] std::uint32_t open() const { return open_; }

  [[nodiscard]] std::uint32_t limit() const { return limit_; }

  [[nodiscard]] std::uint32_t free() const { return limit_ - std::min(open_, limit_); }

private:
  std::uint32_t most_;
  std::uint32_t limit_;
  std::uint32_t open_ = 0;
  /// Whether none was open when the last one was taken.
  bool last_is_first_ = false;
  std::uint32_t served_since_refusal_ = 0;
};

} // namespace sshexec
