#pragma once

#include <libssh/libssh.h>

#include <memory>

/// Owners of libssh's objects.
namespace sshexec::ssh {

struct handle_deleter {
  void operator()(ssh_session x) const { ssh_free(x); }

  void operator()(ssh_event x) const { ssh_event_free(x); }

  void operator()(ssh_channel x) const { ssh_channel_free(x); }
};

using session_handle = std::unique_ptr<ssh_session_struct, handle_deleter>;
using event_handle = std::unique_ptr<ssh_event_struct, handle_deleter>;
using channel_handle = std::unique_ptr<ssh_channel_struct, handle_deleter>;

/// Whether the session can go on. libssh calls one connected that has met a packet it cannot read,
/// and fails every request on it.
inline bool is_alive(ssh_session x) {
  return ssh_is_connected(x) != 0 && (ssh_get_status(x) & SSH_CLOSED_ERROR) == 0;
}

} // namespace sshexec::ssh
