#pragma once

#include <caf/actor_system.hpp>

#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"

namespace sshexec {

/// Starts an executor with services of its own: one thread that watches sockets and one for each
/// service that may block. Several may live in one system. It ends with an exit message, then
/// answers every open request with `shutting_down`.
///
///     auto executor = sshexec::spawn_executor(system, settings);
///     self->request(executor, caf::infinite, sshexec::execute_atom_v, machine, command)
///
/// Dropping the handle does not end it: send an exit message before the system goes down.
executor_actor spawn_executor(caf::actor_system& system, const settings& config);

} // namespace sshexec
