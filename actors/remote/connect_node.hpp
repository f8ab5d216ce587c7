#pragma once

#include "sshexec/actors/cluster/router.hpp"
#include "sshexec/actors/remote/connect_executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

namespace sshexec {

/// Makes a hub a node of a router, under its address as its name: it joins whenever a connection
/// comes about, and the router takes the end of the connection for the node's death. Returns the
/// link that connects, again and again, until the router ends, or an exit message ends the link.
/// Fails like `connect_executor`.
caf::expected<executor_actor> connect_node(caf::actor_system& system, const router_actor& router,
                                           connect_settings config);

} // namespace sshexec
