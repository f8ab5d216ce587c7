#pragma once

#include "sshexec/ssh/secret.hpp"

#include <tl/expected.hpp>

#include <string>

namespace sshexec::app {

/// Asks on the tool's terminal, whatever stdin and stderr are, and shows nothing of the answer, a
/// line. The error is a sentence for the user. To be called before signals are watched: Ctrl-C is
/// an answer, too, which says that there is none.
tl::expected<ssh::secret, std::string> ask_for_secret(const std::string& prompt);

} // namespace sshexec::app
