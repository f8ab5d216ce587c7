#pragma once

#include "sshexec/messages/rollout.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>

namespace sshexec::app {

/// The machines in the order of their starts, one a line; a line with '#' before each step.
std::string list_of_steps(const rollout& what);

/// Asks on the terminal of the process whether to go on. The error is a sentence for the user:
/// there is no terminal, or the answer is no.
tl::expected<void, std::string> ask_for_consent(const rollout& what);

/// All of stdin, up to 16 MiB. The error is a sentence for the user.
tl::expected<std::string, std::string> read_all_input();

} // namespace sshexec::app
