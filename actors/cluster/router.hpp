#pragma once

#include "sshexec/actors/services/services.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <string>

namespace sshexec {

using join_atom = caf::atom_constant<caf::atom("join")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;
inline constexpr auto join_atom_v = join_atom{};
inline constexpr auto leave_atom_v = leave_atom{};

/// An executor that spreads machines over other executors, its nodes, which may live in other
/// processes. A machine belongs to the node that rendezvous hashing names for its id, or for all
/// its fields when it has none.
///
/// A machine is served by one node at a time. One that is busy stays where it is when another node
/// joins, until it has no open request; so nothing waits for a join. When a node leaves, its busy
/// machines finish there what was begun, and new commands for them wait for that. When a node dies,
/// its machines move at once; where it did not die, but cannot be reached, the commands that it
/// runs are ended as soon as it notices the same, because their callers are gone. Both sides notice
/// within the connection timeout of CAF's middleman, which bounds how long two nodes may serve one
/// machine.
///
/// A request that was under way on a node that died is run again elsewhere if its retry policy is
/// `always`, at most twice and not after it was given input; otherwise it is answered with a
/// `connection_error` that names the node. A node that is shutting down is left, and the commands
/// that it refuses go to the others.
using router_actor = executor_actor::extend<
  /// A node with a name of its own takes its share of the machines. It is watched: its end is its
  /// death. An earlier node of this name is given up, if it is not the same actor.
  caf::reacts_to<join_atom, std::string, executor_actor>,
  /// The node takes no new commands. Answered once it has none left, when it can be ended without
  /// harm; at once when there is no such node, with `cancelled` when it joins again meanwhile.
  caf::reacts_to<leave_atom, std::string>>;

/// Starts a router without nodes. Of the settings it uses `user` (completed before a machine is
/// looked up, if set), `drain_timeout`, and the journal's, which gets one line for each request
/// that no node answered. An exit message ends it, as it ends an executor; its nodes go on.
caf::expected<router_actor> spawn_router(caf::actor_system& system, const settings& config);

/// The same with a journal that exists; it ends with the router.
caf::expected<router_actor> spawn_router(caf::actor_system& system, const settings& config,
                                         journal_actor journal);

} // namespace sshexec
