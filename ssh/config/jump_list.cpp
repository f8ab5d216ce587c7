#include "sshexec/ssh/config/jump_list.hpp"

#include "sshexec/ssh/config/config_values.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Cuts the host off, which may stand in brackets; nothing if there is none.
std::optional<std::string> take_host(std::string_view& rest) {
  const bool is_bracketed = rest.starts_with('[');
  const auto end = std::min(rest.find(is_bracketed ? ']' : ':'), rest.size());
  if (is_bracketed && end == rest.size())
    return std::nullopt;
  std::string host{rest.substr(is_bracketed ? 1 : 0, is_bracketed ? end - 1 : end)};
  rest.remove_prefix(is_bracketed ? end + 1 : end);
  const bool is_clean = rest.empty() || rest.starts_with(':');
  return is_clean && !host.empty() && host.find('/') == std::string::npos
           ? std::optional{std::move(host)}
           : std::nullopt;
}

/// "%40" becomes "@"; nothing for a '%' that begins nothing.
std::optional<std::string> decode_url(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto digits = text.substr(i + 1, 2);
    unsigned int value = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() < 2 || code != std::errc{} || stop != end || value == 0)
      return std::nullopt;
    result += static_cast<char>(value);
    i += 2;
  }
  return result;
}

std::optional<jump_host> parse_jump(std::string_view text) {
  constexpr std::string_view scheme = "ssh://";
  const bool is_url = text.starts_with(scheme);
  if (is_url)
    text.remove_prefix(scheme.size());
  if (is_url && text.ends_with('/'))
    text.remove_suffix(1);
  jump_host result;
  if (const auto at = is_url ? text.find('@') : text.rfind('@'); at != std::string_view::npos) {
    const auto user = text.substr(0, at);
    result.user = is_url ? decode_url(user.substr(0, user.find(';'))) : std::string{user};
    if (!result.user || result.user->empty())
      return std::nullopt;
    text.remove_prefix(at + 1);
  }
  auto host = take_host(text);
  if (!host)
    return std::nullopt;
  result.host = std::move(*host);
  if (text.size() > 1) {
    const auto port = to_port(std::string{text.substr(1)});
    if (!port)
      return std::nullopt;
    result.port = *port;
  }
  return result;
}

} // namespace

value_result<std::vector<jump_host>> parse_jumps(std::string_view text) {
  text = text.substr(0, text.find('#'));
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::vector<jump_host> result;
  if (is_same_word(text, "none"))
    return result;
  for (const std::string& part : split_list(text)) {
    auto jump = parse_jump(part);
    if (!jump)
      return tl::unexpected{"'" + part + "' is not [user@]host[:port]"};
    result.push_back(std::move(*jump));
  }
  return result;
}

} // namespace sshexec::ssh
