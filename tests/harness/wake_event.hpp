#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <optional>
#include <utility>

namespace sshexec::testing {

/// Wakes a thread that waits in poll(2) (eventfd(2)).
class wake_event {
public:
  /// Throws `std::system_error`.
  wake_event();

  /// Nothing if this process is short of descriptors.
  static std::optional<wake_event> make();

  /// May be called from any thread; several calls may become one wake-up.
  void notify() const;

  /// Readable once notified.
  [[nodiscard]] int descriptor() const { return event_.get(); }

  /// Makes it wait for the next notification.
  void clear() const;

private:
  explicit wake_event(ssh::file_descriptor event) : event_(std::move(event)) {}

  ssh::file_descriptor event_;
};

} // namespace sshexec::testing
