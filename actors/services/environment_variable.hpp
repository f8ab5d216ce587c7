#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace sshexec {

/// OpenSSH ends a connection, with all commands on it, at a packet of more than 256 KiB
/// (PACKET_MAX_SIZE); the rest is for what stands around a request.
constexpr std::size_t largest_request = std::size_t{255} << 10;

/// Why no server can be asked to set this variable, if so.
std::optional<std::string> objection_to_variable(const std::string& name, const std::string& value);

} // namespace sshexec
