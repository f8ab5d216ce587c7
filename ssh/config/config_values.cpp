#include "sshexec/ssh/config/config_values.hpp"

#include "sshexec/ssh/lower_case.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace sshexec::ssh {

namespace {

constexpr auto largest = std::numeric_limits<int>::max();

/// Cuts the digits in front off and reads them; nothing where there are none or too many.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto* const end = text.data() + text.size();
  if (text.empty() || text.front() == '-')
    return std::nullopt;
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return value;
}

/// Seconds in the unit that stands in front, if any, which is cut off; nothing for no unit.
std::optional<std::int64_t> take_time_unit(std::string_view& text) {
  if (text.empty())
    return 1;
  const std::size_t unit = std::string_view{"smhdw"}.find(to_lower(text.substr(0, 1)));
  text.remove_prefix(1);
  constexpr std::array<std::int64_t, 5> seconds{1, 60, 3600, 86'400, 604'800};
  return unit < seconds.size() ? std::optional{seconds.at(unit)} : std::nullopt;
}

bool is_letter_or_digit(char x) {
  return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9');
}

tl::unexpected<std::string> is_not(const std::string& word, const char* what) {
  return tl::unexpected{"'" + word + "' is no " + what};
}

} // namespace

bool is_same_word(std::string_view a, std::string_view b) {
  return to_lower(a) == to_lower(b);
}

value_result<bool> to_flag(const std::string& word) {
  static constexpr std::array<named_value<bool>, 4> values{
    {{"yes", true}, {"no", false}, {"true", true}, {"false", false}}};
  return to_named(word, values);
}

value_result<int> to_count(const std::string& word) {
  std::string_view rest = word;
  const auto number = take_number(rest);
  if (!number || !rest.empty() || *number > largest)
    return is_not(word, "number from 0 to 2147483647");
  return static_cast<int>(*number);
}

value_result<std::uint16_t> to_port(const std::string& word) {
  std::string_view rest = word;
  const auto number = take_number(rest);
  if (!number || !rest.empty() || *number < 1
      || *number > std::numeric_limits<std::uint16_t>::max())
    return is_not(word, "port");
  return static_cast<std::uint16_t>(*number);
}

value_result<std::chrono::seconds> to_seconds(const std::string& word) {
  std::int64_t total = 0;
  std::string_view rest = word;
  do {
    const auto number = take_number(rest);
    const auto unit = take_time_unit(rest);
    if (!number || !unit || *number > largest / *unit)
      return is_not(word, "time");
    total += *number * *unit;
    if (total > largest)
      return is_not(word, "time");
  } while (!rest.empty());
  return std::chrono::seconds{total};
}

value_result<std::uint64_t> to_bytes(const std::string& word) {
  constexpr std::string_view units = "kmgtpe";
  std::string_view rest = word;
  const auto whole = take_number(rest);
  // Beyond so many digits there is less than a byte.
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()));
    rest.remove_prefix(fraction.size());
  }
  const std::size_t unit = rest.empty() ? 0 : units.find(to_lower(rest)) + 1;
  const bool is_known = rest.empty() || (rest.size() == 1 && unit != 0) || is_same_word(rest, "b");
  const std::int64_t scale = std::int64_t{1} << (10 * (is_known ? unit : 0));
  if (!whole || !is_known || *whole > std::numeric_limits<std::int64_t>::max() / scale)
    return is_not(word, "number of bytes");
  double parts = 0;
  double worth = 1;
  for (const char x : fraction)
    parts += (x - '0') * (worth /= 10);
  return static_cast<std::uint64_t>(*whole * scale)
         + static_cast<std::uint64_t>(parts * static_cast<double>(scale));
}

bool is_domain(std::string_view text) {
  return !text.empty() && is_letter_or_digit(text.front())
         && text.find("..") == std::string_view::npos
         && std::all_of(text.begin(), text.end(), [](char x) {
              return is_letter_or_digit(x) || x == '.' || x == '-' || x == '_';
            });
}

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> result;
  for (;;) {
    const auto end = std::min(list.find(','), list.size());
    result.emplace_back(list.substr(0, end));
    if (end == list.size())
      return result;
    list.remove_prefix(end + 1);
  }
}

} // namespace sshexec::ssh
