#include "sshexec/ssh/wire_format.hpp"

namespace sshexec::ssh {

void append_uint32(std::string& to, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0})
    to += static_cast<char>(value >> shift & 0xFF);
}

void append_string(std::string& to, std::string_view value) {
  append_uint32(to, static_cast<std::uint32_t>(value.size()));
  to += value;
}

std::optional<std::uint32_t> take_uint32(std::string_view& from) {
  if (from.size() < 4)
    return std::nullopt;
  std::uint32_t value = 0;
  for (const char byte : from.substr(0, 4))
    value = value << 8 | static_cast<unsigned char>(byte);
  from.remove_prefix(4);
  return value;
}

std::optional<std::string_view> take_string(std::string_view& from) {
  std::string_view rest = from;
  const auto length = take_uint32(rest);
  if (!length || *length > rest.size())
    return std::nullopt;
  from = rest.substr(*length);
  return rest.substr(0, *length);
}

} // namespace sshexec::ssh
