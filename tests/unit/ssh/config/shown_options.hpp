#pragma once

#include "sshexec/ssh/config/options.hpp"

#include <map>
#include <string>
#include <vector>

namespace sshexec::test {

/// Keywords in lower case, and the values behind each.
using shown_options = std::map<std::string, std::vector<std::string>>;

/// What has a value, as "ssh -G" would show it.
shown_options show(const ssh::ssh_options& options);

/// The values of a keyword in one line, with '|' between them; empty for none.
std::string shown(const shown_options& options, const std::string& keyword);

/// A list of jumps as ProxyJump takes it.
std::string to_text(const std::vector<ssh::jump_host>& jumps);

} // namespace sshexec::test
