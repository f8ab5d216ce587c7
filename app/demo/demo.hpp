#pragma once

namespace sshexec::app {

/// Starts SSH servers on loopback with keys made for the moment, runs commands on them through all
/// actors, and prints what happened. Returns 0 when everything went as it should.
int run_demo();

} // namespace sshexec::app
