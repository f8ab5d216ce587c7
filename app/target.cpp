#include "sshexec/app/target.hpp"

#include "sshexec/ssh/address.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;

tl::expected<std::uint16_t, std::string> parse_port(const std::string& text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value == 0 || value > 65535)
    return failed{"'" + text + "' is no port: a number from 1 to 65535 is wanted"};
  return static_cast<std::uint16_t>(value);
}

/// Blanks, control characters, and the brackets that stand around an address.
bool is_never_in_a_host(char x) {
  const auto byte = static_cast<unsigned char>(x);
  return byte <= ' ' || byte == 0x7f || x == '[' || x == ']';
}

/// Splits "host", "host:port", "[address]", "[address]:port" or a bare IPv6 address.
tl::expected<void, std::string> parse_endpoint(const std::string& text, machine& result) {
  std::string port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string::npos)
      return failed{"'" + text + "' lacks a closing bracket"};
    result.hostname = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':')
      return failed{"'" + text + "' has something other than a port behind the bracket"};
    port = has_port ? text.substr(end + 2) : "";
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const auto colon = text.find(':');
    result.hostname = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  } else {
    result.hostname = text;
  }
  const std::string& host = result.hostname;
  if (host.empty())
    return failed{"the host is missing"};
  if (std::any_of(host.begin(), host.end(), is_never_in_a_host))
    return failed{"'" + host + "' is no host: it holds a blank, a bracket or a control character"};
  if (host.find(':') != std::string::npos && !ssh::is_ipv6(host))
    return failed{"'" + host + "' has several colons but is no IPv6 address"};
  if (!has_port)
    return {};
  const auto number = parse_port(port);
  if (!number)
    return failed{number.error()};
  result.port = *number;
  return {};
}

bool is_control_character(char x) {
  const auto byte = static_cast<unsigned char>(x);
  return byte < ' ' || byte == 0x7f;
}

/// Replaces "%40" and the like (RFC 3986 §2.1); nothing where a '%' stands for nothing.
std::optional<std::string> decode_percents(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    unsigned code = 0;
    const char* digits = text.data() + i + 1;
    const char* digits_end = text.data() + std::min(text.size(), i + 3);
    const auto [stop, error] = std::from_chars(digits, digits_end, code, 16);
    if (error != std::errc{} || stop != digits + 2)
      return std::nullopt;
    result += static_cast<char>(code);
    i += 2;
  }
  return result;
}

/// Reads what follows "ssh://" (draft-salowey-secsh-uri).
tl::expected<machine, std::string> parse_uri(std::string text, std::uint16_t other_port) {
  if (text.ends_with('/'))
    text.pop_back();
  if (text.find('/') != std::string::npos)
    return failed{"'ssh://" + text + "' names more than a user, a host and a port"};
  auto result = parse_target(text, other_port);
  if (!result)
    return result;
  auto user = decode_percents(result->username);
  if (!user)
    return failed{"'ssh://" + text + "' has a '%' without two hexadecimal digits"};
  result->username = std::move(*user);
  if (const auto objection = objection_to_user(result->username))
    return failed{*objection};
  return result;
}

} // namespace

std::optional<std::string> objection_to_user(const std::string& name) {
  if (std::any_of(name.begin(), name.end(), is_control_character))
    return "'" + name + "' is no user name: it holds a control character";
  return std::nullopt;
}

tl::expected<machine, std::string> parse_target(const std::string& text) {
  return parse_target(text, machine{}.port);
}

tl::expected<machine, std::string> parse_target(const std::string& text, std::uint16_t other_port) {
  const std::string scheme = "ssh://";
  if (text.starts_with(scheme))
    return parse_uri(text.substr(scheme.size()), other_port);
  machine result;
  result.port = other_port;
  // A user name may hold an '@', a host never does.
  const auto at = text.rfind('@');
  if (at == 0)
    return failed{"'" + text + "' has nothing before the '@'"};
  if (at != std::string::npos)
    result.username = text.substr(0, at);
  if (const auto objection = objection_to_user(result.username))
    return failed{*objection};
  const auto parsed = parse_endpoint(at == std::string::npos ? text : text.substr(at + 1), result);
  if (!parsed)
    return failed{parsed.error()};
  return result;
}

tl::expected<std::vector<jump>, std::string> parse_jumps(const std::string& text) {
  std::vector<jump> result;
  if (text == "none")
    return result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    auto parsed = parse_target(text.substr(begin, end - begin), 0);
    if (!parsed)
      return failed{std::move(parsed.error())};
    result.push_back({std::move(parsed->hostname), parsed->port, std::move(parsed->username), {}});
    begin = end + 1;
  }
  return result;
}

tl::expected<network_address, std::string> parse_address(const std::string& text) {
  const std::string any_port = ":0";
  machine parsed;
  parsed.port = 0;
  const auto end = text.size() - (text.ends_with(any_port) ? any_port.size() : 0);
  const auto done = parse_endpoint(text.substr(0, end), parsed);
  if (!done)
    return failed{done.error()};
  return network_address{std::move(parsed.hostname), parsed.port};
}

} // namespace sshexec::app
