#pragma once

/// All that a hub needs to embed executors, routers and rollouts. What goes over the network is in
/// sshexec/actors/remote/.

#include "sshexec/actors/cluster/router.hpp"
#include "sshexec/actors/executor.hpp"
#include "sshexec/actors/fleet/inventory.hpp"
#include "sshexec/actors/fleet/node_set.hpp"
#include "sshexec/actors/fleet/rollout.hpp"
#include "sshexec/actors/services/services.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/version.hpp"
