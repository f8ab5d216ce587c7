#pragma once

#include "options.hpp"

namespace sshexec::bench {

// Each measures one thing and prints one line. False when a command failed: figures of failures
// say nothing.

/// Commands on one warm connection, `concurrency` at once. Like the rivals, connects before its
/// clock starts.
bool run_commands(const options& x, std::size_t concurrency);

/// Connects to each of `machines` and runs one command on it, `concurrency` at once.
bool fan_out(const options& x);

/// The memory that `machines` idle pooled machines take.
bool weigh_idle(const options& x);

/// The processor time and the wake-ups of `machines` idle pooled machines within `seconds`.
bool watch_idle(const options& x);

/// The rate at which one command's output arrives at a consumer.
bool stream(const options& x);

} // namespace sshexec::bench
