#pragma once

#include "sshexec/actors/remote/network_address.hpp"
#include "sshexec/actors/remote/wire/tls_stream.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

/// Sockets of hubs and their clients: TCP without Nagle's algorithm, all of them non-blocking.
/// These functions wait, so they are for threads that may. A look-up of a name has its own bound.
namespace sshexec {

/// How long to wait.
struct patience {
  std::chrono::steady_clock::time_point until;
  /// Becomes readable, or hangs up, when nobody wants the outcome any more; negative: never.
  int stop = -1;
};

/// Connects to whichever of these addresses answers first (RFC 8305 §5).
ssh::result<ssh::file_descriptor> connect_to(std::vector<ssh::address> targets,
                                             const patience& bound);

/// What the other side of a connection may be.
enum class reach : std::uint8_t { anywhere, this_machine };

/// Connects to whichever address of a host answers first. A name may mean another host each time,
/// so what must not leave this machine is looked at here.
ssh::result<ssh::file_descriptor> connect_to(const network_address& target, const patience& bound,
                                             reach allowed = reach::anywhere);

/// Listens on the first address of a host that can be had; any free port if 0.
ssh::result<ssh::file_descriptor> listen_on(const network_address& wanted,
                                            reach allowed = reach::anywhere);

/// The port that a socket is bound to.
std::uint16_t local_port(const ssh::file_descriptor& socket);

/// Does the client's part of the handshake, up to the server's first byte, which a hub's CAF sends
/// by itself.
ssh::result<tls_stream> secure(ssh::file_descriptor socket, const tls_context& context,
                               const patience& bound);

} // namespace sshexec
