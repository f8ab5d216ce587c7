#pragma once

#include "sshexec/actors/settings.hpp"

namespace sshexec::app {

/// Starts five SSH servers on loopback, runs one command on all of them as `sshexec run --gather`
/// does, and prints what happened. True when everything went as it should.
bool show_rollout(const settings& config);

} // namespace sshexec::app
