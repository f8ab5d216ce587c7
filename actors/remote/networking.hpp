#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>

namespace sshexec {

/// Loads CAF's networking and sets `middleman.heartbeat-interval` (5 s) and
/// `middleman.connection-timeout` (30 s), which CAF leaves off, so that it would never notice a
/// peer that has stopped. To be called once in the constructor of a system's configuration; a
/// configuration file that is read later may change both. The timeout has to be longer than the
/// largest message takes on its way, because CAF counts a message only when it is complete.
void configure_networking(caf::actor_system_config& config);

/// Nothing, or a `configuration_error`: CAF's networking is not loaded, there is no heartbeat, or
/// the connection timeout leaves no room for two of them.
caf::error check_networking(caf::actor_system& system);

} // namespace sshexec
