#pragma once

#include <caf/timespan.hpp>

#include <string>

namespace sshexec {

/// A duration for people to read: "250ms", "1.5s", "30s", "1min 30s", "24h". What lies below a
/// minute is told by its three leading digits, all others to the second.
std::string to_text(caf::timespan duration);

} // namespace sshexec
