#include "sshexec/testing/proxied_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace sshexec::testing {

namespace {

/// Enough for some 40 MB/s at 100 ms.
constexpr std::size_t capacity = std::size_t{4} << 20U;
constexpr std::size_t chunk_size = 16'384;
/// A slow line takes no more than it can send within this time: senders feel that it is slow.
constexpr auto line_ahead = std::chrono::milliseconds{100};

std::chrono::nanoseconds time_on_line(std::size_t bytes, std::uint64_t bytes_per_second) {
  if (bytes_per_second == 0)
    return {};
  using seconds = std::chrono::duration<double>;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
    seconds{static_cast<double>(bytes) / static_cast<double>(bytes_per_second)});
}

/// What a line takes at once: pieces that are short in time.
std::size_t piece(std::uint64_t bytes_per_second) {
  if (bytes_per_second == 0)
    return chunk_size;
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(bytes_per_second / 50, 1, chunk_size));
}

} // namespace

bool proxied_stream::take(const file_descriptor& sender, const network& through, time_point now) {
  std::array<char, chunk_size> buffer{};
  const auto read
    = ::recv(sender.get(), buffer.data(), piece(through.bytes_per_second), MSG_DONTWAIT);
  if (read < 0)
    return errno == EAGAIN;
  const auto size = static_cast<std::size_t>(read);
  line_free_ = std::max(line_free_, now) + time_on_line(size, through.bytes_per_second);
  // Bytes do not overtake those that met a slower network.
  const time_point arrival = line_free_ + through.latency;
  const time_point earliest = chunks_.empty() ? arrival : chunks_.back().arrival;
  chunks_.push_back({std::max(arrival, earliest), {buffer.data(), size}});
  waiting_ += size;
  ended_ = size == 0;
  return true;
}

void proxied_stream::drop() {
  chunks_.clear();
  waiting_ = 0;
  blocked_ = false;
}

void proxied_stream::damage(std::uint64_t at_byte) {
  std::uint64_t first = delivered_;
  for (auto i = chunks_.begin(); i != chunks_.end() && !damaged_; ++i) {
    if (at_byte >= first && at_byte - first < i->data.size()) {
      i->data[at_byte - first] ^= 1;
      damaged_ = true;
    }
    first += i->data.size();
  }
}

bool proxied_stream::deliver(const file_descriptor& receiver, time_point now, std::uint64_t limit) {
  blocked_ = false;
  while (!chunks_.empty() && chunks_.front().arrival <= now && limit > 0) {
    std::string& data = chunks_.front().data;
    if (data.empty()) {
      ::shutdown(receiver.get(), SHUT_WR);
      finished_ = true;
      chunks_.clear();
      return true;
    }
    const auto sent
      = ::send(receiver.get(), data.data(), std::min<std::uint64_t>(data.size(), limit),
               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      blocked_ = errno == EAGAIN;
      return blocked_;
    }
    const auto size = static_cast<std::size_t>(sent);
    limit -= size;
    waiting_ -= size;
    delivered_ += size;
    data.erase(0, size);
    if (data.empty())
      chunks_.pop_front();
  }
  return true;
}

bool proxied_stream::has_room(time_point now) const {
  return !ended_ && waiting_ < capacity && line_free_ <= now + line_ahead;
}

proxied_stream::time_point proxied_stream::next(time_point now) const {
  time_point result = time_point::max();
  if (!chunks_.empty() && !blocked_)
    result = chunks_.front().arrival;
  if (!ended_ && line_free_ > now + line_ahead)
    result = std::min(result, line_free_ - line_ahead);
  return result;
}

} // namespace sshexec::testing
