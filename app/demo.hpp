#pragma once

namespace sshexec::app {

/// Starts an SSH server on loopback with keys made for the moment, runs commands on it through all
/// actors, and prints what happened. Returns 0 when everything went as it should.
int run_demo();

} // namespace sshexec::app
