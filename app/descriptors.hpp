#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace sshexec::app {

/// Ends waits on descriptors, for good.
class stop_switch {
public:
  /// Throws `std::system_error`.
  stop_switch();

  /// May be called from any thread.
  void set() const;

  /// Readable as soon as it was set.
  [[nodiscard]] int descriptor() const { return event_.get(); }

private:
  ssh::file_descriptor event_;
};

/// No descriptor: what waits is never stopped.
inline constexpr int never = -1;

/// Puts something where the tool was started without stdin, stdout or stderr: an empty stdin, a
/// stdout that cannot be written, a stderr that nobody reads. Otherwise a connection would get that
/// descriptor, and output on it.
void occupy_standard_descriptors();

/// Lets this process have as many descriptors as it may have at the most: each connection takes
/// one.
void raise_descriptor_limit();

/// Writes all, or as much as can be written without waiting once `stop` is readable: the error is
/// then `std::errc::operation_canceled`. Does not rely on the descriptor being non-blocking.
std::error_code write_all(int descriptor, std::string_view data, int stop = never);

/// Waits until something can be read and reads it, up to a size; nothing at the end. The error is
/// `std::errc::operation_canceled` when `stop` was readable first.
tl::expected<std::string, std::error_code> read_some(int descriptor, std::size_t size,
                                                     int stop = never);

} // namespace sshexec::app
