#include "sshexec/actors/services/json_bytes.hpp"

#include <cstddef>
#include <string_view>

namespace sshexec {

namespace {

std::string to_base64(std::string_view bytes) {
  constexpr std::string_view digits
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> unsigned {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    result += digits[group >> 18];
    result += digits[group >> 12 & 63];
    result += i + 1 < bytes.size() ? digits[group >> 6 & 63] : '=';
    result += i + 2 < bytes.size() ? digits[group & 63] : '=';
  }
  return result;
}

} // namespace

bool is_utf8(const std::string& text) {
  try {
    [[maybe_unused]] const auto rendered = nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

void put_bytes(nlohmann::ordered_json& object, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes))
    object[name] = bytes;
  else
    object[name + "_base64"] = to_base64(bytes);
}

} // namespace sshexec
