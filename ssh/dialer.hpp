#pragma once

#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace sshexec::ssh {

/// How long an owner waits before it starts the next address (RFC 8305 §5).
inline constexpr std::chrono::milliseconds address_delay{250};

/// Connects to whichever address of a host answers first, without blocking. Addresses that fail
/// make way for the next one at once; its owner starts one more when they are merely slow.
class dialer {
public:
  /// Begins to connect to the first address.
  dialer(std::vector<address> addresses, poller& sockets, poller::notify_function notify);

  /// Begins to connect to the next address as well. False when there is none left.
  bool start_next();

  /// The connected socket, or the reasons of all addresses; nothing while undecided.
  std::optional<result<file_descriptor>> advance();

private:
  struct attempt {
    address target;
    file_descriptor socket;
    // Declared behind the socket, so that it leaves the poller before the socket closes.
    poller::registration registration;
  };

  void fail(const address& target, int code);

  std::vector<address> addresses_;
  std::size_t next_ = 0;
  poller& sockets_;
  poller::notify_function notify_;
  std::vector<attempt> attempts_;
  std::optional<error> failure_;
};

} // namespace sshexec::ssh
