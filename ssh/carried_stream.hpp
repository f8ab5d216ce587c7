#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace sshexec::ssh {

/// What the carrier of a stream has to say about its end. Written by the carrier before it closes
/// its side, so that who finds the stream ended can read it; from any thread.
class carrier_note {
public:
  void write(error why) {
    const std::lock_guard lock{mutex_};
    if (!why_)
      why_ = std::move(why);
  }

  [[nodiscard]] std::optional<error> read() const {
    const std::lock_guard lock{mutex_};
    return why_;
  }

private:
  mutable std::mutex mutex_;
  std::optional<error> why_;
};

/// A stream to a server that somebody else carries: one end of a socket pair (unix(7)), to be
/// spoken on in place of a TCP connection of one's own. The carrier lets go of its side when this
/// one closes.
struct carried_stream {
  file_descriptor socket;
  std::shared_ptr<carrier_note> note;
  /// Who carries it, for people.
  std::string carrier = {};
};

} // namespace sshexec::ssh
