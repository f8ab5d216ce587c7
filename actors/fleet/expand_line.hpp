#pragma once

#include "sshexec/messages/machine.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sshexec {

/// What is wrong with a command's line that is to be expanded, in words for people; none if
/// nothing.
std::optional<std::string> complaint_about_tokens(const std::string& line);

/// The line with its tokens replaced (`rollout::expand`); to be called for lines without complaint.
/// The number of a machine counts from 1.
std::string expand_line(const std::string& line, const machine& target, std::uint64_t number);

} // namespace sshexec
