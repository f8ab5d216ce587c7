#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sshexec::app {

/// Texts that differ in more lines are no longer compared: nobody would read that, and the time
/// that it takes grows with the square of the number.
inline constexpr std::size_t most_changed_lines = 1000;

/// The same for the length of a text, for each line costs memory.
inline constexpr std::size_t most_compared_lines = 200'000;

/// The hunks of `diff -u`, without the lines that name the files; empty for equal texts. A last
/// line without an end is like one with it. Nothing if more than so many lines are to be removed
/// and added, or if a text is too long.
std::optional<std::string> unified_diff(std::string_view before, std::string_view after,
                                        std::size_t most_changes = most_changed_lines);

} // namespace sshexec::app
