#pragma once

#include "sshexec/ssh/config/config_draft.hpp"
#include "sshexec/ssh/config/environment.hpp"

#include <string>

namespace sshexec::ssh {

/// The full name of a host: an address in its usual form; else the name in lower case, made longer
/// by CanonicalDomains and replaced by an alias where the options say so. An error if it must be
/// found there and is not. The draft tells whether and how that is done.
value_result<std::string> canonical_name(const std::string& host, const config_draft& draft,
                                         const config_environment& environment);

} // namespace sshexec::ssh
