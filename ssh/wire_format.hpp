#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// Appends a uint32 and a string as they are written in SSH (RFC 4251 §5).
void append_uint32(std::string& to, std::uint32_t value);
void append_string(std::string& to, std::string_view value);

/// Takes such values from the front of `from`; none when it holds none, or too little.
std::optional<std::uint32_t> take_uint32(std::string_view& from);
std::optional<std::string_view> take_string(std::string_view& from);

} // namespace sshexec::ssh
