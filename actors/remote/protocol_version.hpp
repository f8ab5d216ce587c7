#pragma once

#include <cstdint>

namespace sshexec {

/// Counts up whenever a message that crosses the network changes.
inline constexpr std::uint32_t protocol_version = 2;

} // namespace sshexec
