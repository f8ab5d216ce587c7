#pragma once

#include <chrono>

namespace sshexec {

/// The clock that deadlines are counted by; CAF's own, and its test clock's (caf::actor_clock).
using time_point = std::chrono::steady_clock::time_point;

/// The same type as `caf::timespan`, for rules that know nothing of CAF.
using duration = std::chrono::nanoseconds;

} // namespace sshexec
