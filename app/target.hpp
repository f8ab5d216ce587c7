#pragma once

#include "sshexec/actors/remote/network_address.hpp"
#include "sshexec/messages/machine.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// Reads "[user@]host[:port]" or "ssh://[user@]host[:port]"; an IPv6 address is put in brackets
/// when a port follows. What is not given stays as a `machine` has it. The error is a sentence for
/// the user.
tl::expected<machine, std::string> parse_target(const std::string& text);

/// The same, with another port for a text that names none.
tl::expected<machine, std::string> parse_target(const std::string& text, std::uint16_t other_port);

/// Jumps as ssh's -J names them: targets with commas between, the nearest first; "none" is none.
/// The port is 0 where none is given.
tl::expected<std::vector<jump>, std::string> parse_jumps(const std::string& text);

/// Nothing, or why nobody can have this user name, as a sentence for the user.
std::optional<std::string> objection_to_user(const std::string& name);

/// Reads "host[:port]" in the same way; port 0 stands for any and for none given.
tl::expected<network_address, std::string> parse_address(const std::string& text);

} // namespace sshexec::app
