#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sshexec::app {

enum class colour_choice : std::uint8_t { automatic, always, never };

/// Whether a stream gets colours. Without a choice a terminal gets them, unless the environment
/// says no: NO_COLOR (no-color.org) or TERM=dumb.
bool wants_colours(colour_choice choice, bool is_terminal, const char* no_color, const char* term);

/// What stands before a machine's lines: "web-1: ". Its colour is that of its number.
std::string label_of(const std::string& name, std::size_t index, bool coloured);

} // namespace sshexec::app
