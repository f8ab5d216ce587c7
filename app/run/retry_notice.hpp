#pragma once

#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/timespan.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// What to say of an event: that an attempt to connect failed, and when the next one follows.
/// Nothing if it is another event or no attempt follows.
std::optional<std::string> retry_notice(const pool_event& seen,
                                        const std::vector<caf::timespan>& retry_delays);

/// Writes these notices to stderr until the executor ends.
void tell_retries(caf::actor_system& system, const executor_actor& executor,
                  std::vector<caf::timespan> retry_delays);

} // namespace sshexec::app
