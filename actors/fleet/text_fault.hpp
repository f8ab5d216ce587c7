#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sshexec {

/// What is wrong with a text, and at which of its bytes.
struct text_fault {
  std::size_t position = 0;
  std::string what;
};

/// A text in quotes for an error: of a long one the part around this byte, without control
/// characters.
std::string quote(std::string_view text, std::size_t position = 0);

/// "'web-[1', character 5: a bracket is not closed"
std::string describe(std::string_view text, const text_fault& fault);

} // namespace sshexec
