#pragma once

#include "sshexec/messages/rollout.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace sshexec::app {

/// Reads "10" or "5%". The error is a sentence for the user.
tl::expected<portion, std::string> parse_portion(const std::string& text);

/// Reads "1,10%,100%"; none of them may be 0.
tl::expected<std::vector<portion>, std::string> parse_steps(const std::string& text);

/// How many of so many machines each step starts.
std::vector<std::size_t> sizes_of_steps(const std::vector<portion>& steps, std::size_t all);

} // namespace sshexec::app
