#pragma once

#include "sshexec/ssh/poller.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <memory>

namespace sshexec {

/// A poller on whose threads actors may run (`borrowed_thread`): the system does not end before
/// they do. Fails with `configuration_error` when the kernel refuses what it needs.
caf::expected<std::shared_ptr<ssh::poller>> spawn_poller(caf::actor_system& system);

} // namespace sshexec
