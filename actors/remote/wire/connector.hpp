#pragma once

#include "sshexec/actors/remote/network_address.hpp"
#include "sshexec/actors/remote/wire/tls_context.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/timespan.hpp>

#include <memory>

namespace sshexec {

/// Makes one connection to a hub. Asked with `connect_atom`, it answers like CAF's middleman actor:
/// with the hub's node, what is published there, and the interface of that; or with
/// `connection_error`, whose message does not name the hub. To be spawned detached, because it
/// waits for name servers and handshakes; unlike CAF's middleman actor, it keeps nobody else
/// waiting. Without a context the connection is in the clear. The files are read anew each time;
/// `tls`, which was loaded from them earlier, serves when they are of no use any more. It stops
/// waiting for the hub when the other end of the pipe `wanted` is closed.
caf::behavior connector(caf::event_based_actor* self, const network_address& hub,
                        const tls_context& tls, const tls_files& files, caf::timespan timeout,
                        const std::shared_ptr<ssh::file_descriptor>& wanted);

} // namespace sshexec
