#pragma once

#include "sshexec/ssh/config/config_error.hpp"
#include "sshexec/ssh/config/options.hpp"

#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// Reads "[user@]host[:port],ssh://[user@]host[:port]", or "none", with a comment behind it or not:
/// the argument of ProxyJump and of ssh's -J.
value_result<std::vector<jump_host>> parse_jumps(std::string_view text);

} // namespace sshexec::ssh
