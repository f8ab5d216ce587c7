#pragma once

#include "sshexec/actors/remote/connect_settings.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

namespace sshexec {

/// Starts an executor whose commands run on a hub. It does what the hub's executor does, and
/// answers with `connection_error`, whose message names the hub:
///
/// - while there is no connection, at once, except that requests wait for the very first attempt;
///   it connects again by itself, sooner or later;
/// - when the connection ends, to all requests that are under way: those may have run.
///
/// The end of a caller is told to the hub, so its commands are cancelled there too. An exit message
/// ends it at once, save for the look-up of a name, and cancels its commands; open requests are
/// answered with `shutting_down`. Dropping the handle does not end it. Fails with
/// `configuration_error`: see `load_tls`, `check_networking`.
///
///     auto executor = sshexec::connect_executor(system, {{"hub-1", 7022}, false, files});
///     self->request(*executor, caf::infinite, sshexec::execute_atom_v, machine, command)
caf::expected<executor_actor> connect_executor(caf::actor_system& system, connect_settings config);

} // namespace sshexec
