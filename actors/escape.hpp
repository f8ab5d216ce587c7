#pragma once

#include <string>
#include <string_view>

namespace sshexec {

/// `bytes` as printable UTF-8 in one line, from which they can be told exactly. As they are stay
/// printable characters, except '"' and '\', which get a '\' in front; control characters, C1
/// controls, line and paragraph separators, and the invisible characters that reorder or hide text
/// become "\n", "\r", "\t", "\u2028" or "\u{e0001}"; bytes that are not UTF-8 (RFC 3629) become "\xff".
std::string escape(std::string_view bytes);

} // namespace sshexec
