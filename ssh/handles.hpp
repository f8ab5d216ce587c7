#pragma once

#include <libssh/libssh.h>

#include <memory>

/// Owners of libssh's objects, and what can be asked of them.
namespace sshexec::ssh {

struct handle_deleter {
  void operator()(ssh_session x) const { ssh_free(x); }

  void operator()(ssh_event x) const { ssh_event_free(x); }

  void operator()(ssh_channel x) const { ssh_channel_free(x); }
};

using session_handle = std::unique_ptr<ssh_session_struct, handle_deleter>;
using event_handle = std::unique_ptr<ssh_event_struct, handle_deleter>;
using channel_handle = std::unique_ptr<ssh_channel_struct, handle_deleter>;

/// Whether a session can still be spoken on. `ssh_is_connected` alone does not see that a packet
/// could not be read, after which libssh reads no other. What is called on a session that is over
/// replaces the reason that `ssh_get_error` has.
inline bool is_usable(ssh_session session) {
  return ssh_is_connected(session) != 0
         && (ssh_get_status(session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
}

} // namespace sshexec::ssh
