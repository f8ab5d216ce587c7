#pragma once

#include <caf/actor_system.hpp>

#include <functional>

namespace sshexec {

/// Runs a job, which must not throw, on a thread of its own; the actor system does not end before
/// it. False when there is no thread to be had for the moment. CAF 0.17 would throw where a
/// detached actor was to be spawned, and never end the system after that.
bool start_thread(caf::actor_system& system, std::function<void()> job);

/// `start_thread`, or what stands in for it in a test.
using thread_starter = std::function<bool(caf::actor_system&, std::function<void()>)>;

} // namespace sshexec
