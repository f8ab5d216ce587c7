#pragma once

#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/handles.hpp"

namespace sshexec::ssh {

/// libssh takes the lower 16 bits of a larger number for its socket.
inline constexpr int largest_socket = 0xFFFF;

/// A non-blocking session over a connected socket, which stays the caller's: what it asks of the
/// server is decided by `settings` alone, and by no file of this host. The user's name is for those
/// who authenticate. Null if libssh cannot.
session_handle make_session(int socket, const connection_settings& settings);

} // namespace sshexec::ssh
