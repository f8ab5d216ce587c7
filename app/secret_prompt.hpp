#pragma once

#include "sshexec/ssh/secret.hpp"

#include <tl/expected.hpp>

#include <string>

namespace sshexec::app {

/// Asks on the tool's terminal, whatever stdin and stderr are, and shows nothing of the answer, a
/// line. The error is a sentence for the user. To be called before signals are watched: one that
/// ends the process does so as soon as the terminal shows again what is typed.
tl::expected<ssh::secret, std::string> ask_for_secret(const std::string& prompt);

/// The first line of a file, which may be a pipe: it is read once, and waited for. The error is a
/// sentence for the user.
tl::expected<ssh::secret, std::string> read_secret(const std::string& file);

} // namespace sshexec::app
