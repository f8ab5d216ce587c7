#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// The first and the last half of a stream within a cap on memory. What came between them is
/// counted and dropped.
class kept_output {
public:
  explicit kept_output(std::uint64_t cap) : cap_(cap) {}

  void add(std::string_view data);

  /// All bytes that ever came.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// Where in the kept data the dropped bytes are missing, if any are. An odd cap keeps one byte
  /// more in front of it.
  [[nodiscard]] std::uint64_t gap() const { return cap_ - cap_ / 2; }

  /// Gives up the kept data and begins anew.
  std::string take();

private:
  /// Makes room for so many bytes, growing as strings do but not beyond the cap.
  void reserve(std::size_t size);
  /// Where the next byte goes once the cap is reached.
  [[nodiscard]] std::size_t oldest_of_tail() const;

  std::uint64_t cap_;
  std::uint64_t bytes_ = 0;
  /// In order until it is full; from then on, what is behind the gap is a ring.
  std::string kept_;
};

} // namespace sshexec::ssh
