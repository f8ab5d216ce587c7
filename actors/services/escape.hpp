#pragma once

#include <string>
#include <string_view>

namespace sshexec {

/// `bytes` as one line of printable UTF-8, from which they can be told exactly:
/// - '"' and '\' get a '\' in front;
/// - control characters, line and paragraph separators, and the invisible characters that reorder
///   or hide text become "\n", "\r", "\t", "\u2028" or, beyond four digits, "\u{e0001}";
/// - bytes that are not UTF-8 (RFC 3629) become "\xff";
/// - all other characters stay as they are.
std::string escape(std::string_view bytes);

/// The same for people to read: quotes and backslashes stay as they are.
std::string escape_controls(std::string_view bytes);

} // namespace sshexec
