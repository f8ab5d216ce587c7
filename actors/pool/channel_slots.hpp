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
    served_ = 0;
    rounds_ = trying_ ? std::min(2 * rounds_, max_rounds) : 1;
    trying_ = false;
    return open_ == 0 && last_is_first_;
  }

  /// A command got as far as its exec request. The server may have ended sessions by now that
  /// counted when it refused one: after as many commands as the limit, one channel more is tried,
  /// and after each try that was refused only after twice as many.
  void served() {
    if (limit_ == most_ || ++served_ < limit_ * rounds_)
      return;
    ++limit_;
    served_ = 0;
    rounds_ = trying_ ? 1 : rounds_;
    trying_ = true;
  }

  [[nodiscard]] std::uint32_t open() const { return open_; }

  [[nodiscard]] std::uint32_t limit() const { return limit_; }

  [[nodiscard]] std::uint32_t free() const { return limit_ - std::min(open_, limit_); }

private:
  static constexpr std::uint32_t max_rounds = 64;

  std::uint32_t most_;
  std::uint32_t limit_;
  std::uint32_t open_ = 0;
  /// Whether none was open when the last one was taken.
  bool last_is_first_ = false;
  /// Commands since the limit changed, and how many times the limit they have to be for one more.
  std::uint32_t served_ = 0;
  std::uint32_t rounds_ = 1;
  /// Whether the limit was raised and no channel was refused since.
  bool trying_ = false;
};

} // namespace sshexec
