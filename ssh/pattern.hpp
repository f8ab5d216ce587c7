#pragma once

#include <string_view>

namespace sshexec::ssh {

/// Matches '*' (any characters) and '?' (any one character), as OpenSSH's match_pattern does, in at
/// most as many steps as the product of both lengths. Upper and lower case differ.
bool matches_pattern(std::string_view text, std::string_view pattern);

/// Whether a list such as "*.example.org,!secret.example.org" names this text: one that a negated
/// pattern names is not meant, whatever the other patterns say (ssh_config(5), PATTERNS).
bool matches_list(std::string_view text, std::string_view patterns);

} // namespace sshexec::ssh
