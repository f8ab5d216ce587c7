#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <cstdint>
#include <string>

/// TCP sockets on the loopback interface, all of them non-blocking. Functions throw
/// `std::system_error`.
namespace sshexec::testing {

using ssh::file_descriptor;

/// Listens on a loopback address, on any free port if `port` is 0; any other address is an
/// `std::invalid_argument`.
file_descriptor listen_on(const std::string& address, std::uint16_t port = 0);

/// A socket that only keeps a free port for `listen_on`: connections to the port are refused, and
/// nobody else gets it.
file_descriptor reserve_port(const std::string& address);

/// The port that a socket is bound to.
std::uint16_t port_of(const file_descriptor& socket);

/// A port that nothing listened on a moment ago.
std::uint16_t free_port(const std::string& address);

/// Accepts a connection that waits; nothing if there is none.
file_descriptor accept_from(const file_descriptor& listener);

/// Closes a listening socket, which may be none: connections to its port are refused from now on,
/// and it can be listened on again, even while a process that is being started shares the socket.
void stop_listening(file_descriptor listener);

/// How the transport of a connection ends, as its peer sees it.
enum class ending : std::uint8_t {
  /// FIN, as when the process of the peer ends.
  hang_up,
  /// RST, as when the peer's machine has forgotten the connection.
  reset,
};

/// Closes a connected socket in that way, whatever data is still unread.
void end_connection(file_descriptor socket, ending how);

} // namespace sshexec::testing
