#include "sshexec/actors/runtime/spawn_poller.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <caf/blocking_actor.hpp>
#include <caf/spawn_options.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace sshexec {

namespace {

/// Supervisors and their callers run on the threads that watch sockets, so there are as many as CAF
/// has by default for the like.
std::size_t socket_threads() {
  return std::max(std::thread::hardware_concurrency(), 4U);
}

} // namespace

caf::expected<std::shared_ptr<ssh::poller>> spawn_poller(caf::actor_system& system) {
  // As hidden actors, for which an actor system waits in the end: what runs on these threads may be
  // the end of its last actor.
  const auto start = [&system](std::function<void()> job) {
    system.spawn<caf::hidden>([job = std::move(job)](caf::blocking_actor*) { job(); });
  };
  try {
    return std::make_shared<ssh::poller>(socket_threads(), start);
  } catch (const std::system_error& reason) {
    return make_service_error(error_code::configuration_error,
                              std::string{"Cannot watch sockets: "} + reason.what());
  }
}

} // namespace sshexec
