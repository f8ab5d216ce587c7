#include "sshexec/actors/fleet/name_pattern.hpp"

#include "sshexec/ssh/address.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace sshexec {

namespace {

using faulty = tl::unexpected<text_fault>;

/// A user, a host (RFC 1035 §2.3.4: 255) and a port are shorter; so no text makes many names that
/// are as long as itself.
constexpr std::size_t longest_name = 1024;
/// So that no sum overflows.
constexpr std::size_t most_digits = 18;

struct number {
  std::uint64_t value = 0;
  std::size_t digits = 0;
  bool is_padded = false;
};

tl::expected<number, std::string> parse_number(std::string_view text) {
  if (text.empty())
    return tl::unexpected<std::string>{"a number is missing"};
  number result{0, text.size(), text.size() > 1 && text.front() == '0'};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, result.value);
  if (stop != end || (error != std::errc{} && error != std::errc::result_out_of_range))
    return tl::unexpected<std::string>{quote(text) + " is no number"};
  if (text.size() > most_digits)
    return tl::unexpected<std::string>{"a number has more than 18 digits"};
  return result;
}

std::string_view without_blanks(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  const auto end = text.find_last_not_of(" \t") + 1;
  return text.substr(begin, std::max(begin, end) - begin);
}

/// Takes what stands before the separator, and leaves what stands behind it, if it is there.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto result = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return without_blanks(result);
}

/// Reads "5", "01-20" or "0-100/5".
tl::expected<number_range, std::string> parse_range(std::string_view text) {
  using refused = tl::unexpected<std::string>;
  const bool has_step = text.find('/') != std::string_view::npos;
  std::string_view bounds = take_until(text, '/');
  const bool has_end = bounds.find('-') != std::string_view::npos;
  const auto first = parse_number(take_until(bounds, '-'));
  if (!first)
    return refused{first.error()};
  const auto last = has_end ? parse_number(without_blanks(bounds)) : first;
  if (!last)
    return refused{last.error()};
  const auto step = has_step ? parse_number(without_blanks(text)) : number{1};
  if (!step)
    return refused{step.error()};
  if (last->value < first->value)
    return refused{"a range must not go down"};
  if (step->value == 0 || (has_step && !has_end && step->value != 1))
    return refused{"a step is at least 1, and stands behind a range"};
  if ((first->is_padded || last->is_padded) && first->digits != last->digits)
    return refused{"both ends of a padded range must have the same number of digits"};
  return number_range{first->value, last->value, step->value, first->is_padded ? first->digits : 1};
}

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  return a != 0 && b > most / a ? most : a * b;
}

bool is_control_character(char x) {
  const auto byte = static_cast<unsigned char>(x);
  return byte < ' ' || byte == 0x7f;
}

void append_padded(std::string& name, std::uint64_t value, std::size_t width) {
  const std::string digits = std::to_string(value);
  name.append(width - std::min(width, digits.size()), '0');
  name += digits;
}

} // namespace

tl::expected<name_pattern, text_fault> name_pattern::parse(std::string_view text) {
  const auto* control = std::find_if(text.begin(), text.end(), is_control_character);
  if (control != text.end())
    return faulty{{static_cast<std::size_t>(control - text.begin()), "a control character"}};
  name_pattern result;
  std::size_t position = 0;
  while (position < text.size()) {
    const auto bracket = std::min(text.find_first_of("[]", position), text.size());
    result.add_text(text.substr(position, bracket - position));
    position = bracket;
    if (bracket < text.size()) {
      const auto end = text.find(']', bracket);
      if (text[bracket] == ']')
        return faulty{{bracket, "a bracket is closed that was not opened"}};
      if (end == std::string_view::npos)
        return faulty{{bracket, "a bracket is not closed"}};
      const auto added = result.add_bracket(text.substr(bracket + 1, end - bracket - 1));
      if (!added)
        return faulty{{bracket + 1 + added.error().position, added.error().what}};
      position = end + 1;
    }
    if (result.longest_name_ > longest_name)
      return faulty{{position, "a name is longer than 1024 characters"}};
  }
  return result;
}

void name_pattern::add_text(std::string_view text) {
  longest_name_ += text.size();
  if (!parts_.empty() && std::holds_alternative<std::string>(parts_.back()))
    std::get<std::string>(parts_.back()).append(text);
  else if (!text.empty())
    parts_.emplace_back(std::string{text});
}

tl::expected<void, text_fault> name_pattern::add_bracket(std::string_view inside) {
  if (inside.find(':') != std::string_view::npos) {
    if (!ssh::is_ipv6(std::string{inside}))
      return faulty{{0, "neither a range such as 1-20 nor an IPv6 address"}};
    add_text('[' + std::string{inside} + ']');
    return {};
  }
  numbers ranges;
  std::size_t digits = 0;
  std::size_t position = 0;
  while (position <= inside.size()) {
    const auto end = std::min(inside.find(',', position), inside.size());
    const auto range = parse_range(inside.substr(position, end - position));
    if (!range)
      return faulty{{position, range.error()}};
    digits = std::max(digits, std::max(range->width, std::to_string(range->last).size()));
    ranges.push_back(*range);
    position = end + 1;
  }
  longest_name_ += digits;
  parts_.emplace_back(std::move(ranges));
  return {};
}

std::uint64_t name_pattern::count() const {
  std::uint64_t result = 1;
  for (const auto& part : parts_) {
    const auto* ranges = std::get_if<numbers>(&part);
    if (ranges == nullptr)
      continue;
    std::uint64_t sum = 0;
    for (const number_range& range : *ranges)
      sum += std::min(range.count(), std::numeric_limits<std::uint64_t>::max() - sum);
    result = saturating_product(result, sum);
  }
  return result;
}

void name_pattern::for_each(const std::function<void(const std::string& name)>& act) const {
  std::string name;
  append_from(0, name, act);
}

void name_pattern::append_from(std::size_t part, std::string& name,
                               const std::function<void(const std::string& name)>& act) const {
  if (part == parts_.size()) {
    act(name);
    return;
  }
  const std::size_t length = name.size();
  if (const auto* text = std::get_if<std::string>(&parts_[part])) {
    name += *text;
    append_from(part + 1, name, act);
    name.resize(length);
    return;
  }
  for (const number_range& range : std::get<numbers>(parts_[part]))
    for (std::uint64_t value = range.first; value <= range.last; value += range.step) {
      append_padded(name, value, range.width);
      append_from(part + 1, name, act);
      name.resize(length);
    }
}

} // namespace sshexec
