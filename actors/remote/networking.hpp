#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>

namespace sshexec {

/// Loads CAF's networking, with a random node id, and sets `middleman.heartbeat-interval` (5 s) and
/// `middleman.connection-timeout` (30 s), which CAF leaves off, so that it would never notice a
/// peer that has stopped. To be called once in the constructor of a system's configuration; a
/// configuration file that is read later may change both. The timeout has to be longer than the
/// largest message takes on its way, because CAF counts a message only when it is complete.
/// Messages are read on CAF's networking thread alone (`middleman.workers` 0).
void configure_networking(caf::actor_system_config& config);

/// Nothing, or a `configuration_error`: CAF's networking is not loaded, or not by
/// `configure_networking`; there is no heartbeat, or the connection timeout leaves no room for two
/// of them; or CAF would open a port of its own (`middleman.enable-automatic-connections`).
caf::error check_networking(caf::actor_system& system);

} // namespace sshexec
