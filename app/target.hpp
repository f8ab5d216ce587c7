#pragma once

#include "sshexec/actors/remote/network_address.hpp"
#include "sshexec/messages/machine.hpp"

#include <tl/expected.hpp>

#include <string>

namespace sshexec::app {

/// Reads "[user@]host[:port]"; an IPv6 address is put in brackets when a port follows. What is not
/// given stays as a `machine` has it. The error is a sentence for the user.
tl::expected<machine, std::string> parse_target(const std::string& text);

/// Reads "host[:port]" in the same way; port 0 stands for any and for none given.
tl::expected<network_address, std::string> parse_address(const std::string& text);

} // namespace sshexec::app
