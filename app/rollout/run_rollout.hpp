#pragma once

#include "sshexec/app/rollout/rollout_request.hpp"

namespace sshexec::app {

/// Runs the command on all machines, and prints what becomes of it. Returns the tool's exit code.
int run_rollout(rollout_request request);

} // namespace sshexec::app
