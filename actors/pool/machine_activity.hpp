#pragma once

#include "sshexec/actors/pool/latency_histogram.hpp"
#include "sshexec/actors/pool/observers.hpp"

#include <caf/actor_clock.hpp>
#include <caf/timestamp.hpp>

#include <cstdint>

namespace sshexec {

/// What a supervisor keeps in order to tell others about its machine.
struct machine_activity {
  observer_list observers;
  /// When the attempt to connect that is under way began, or when the connection was made.
  caf::actor_clock::time_point link_since;
  caf::timestamp connected_at;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  latency_histogram latency;
};

} // namespace sshexec
