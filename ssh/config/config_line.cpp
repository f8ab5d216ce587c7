#include "sshexec/ssh/config/config_line.hpp"

#include "sshexec/ssh/lower_case.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace sshexec::ssh {

namespace {

constexpr std::string_view blanks = " \t\r\n";

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
}

/// Splits the part behind a keyword at blanks, up to a '#' that begins a word. Single and double
/// quotes hold a word together, a backslash takes the meaning of what follows.
class argument_splitter {
public:
  explicit argument_splitter(std::string_view text) : rest_(text) {}

  /// Nothing if a quotation does not end.
  std::optional<std::vector<std::string>> split() {
    std::vector<std::string> result;
    for (;;) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
      if (rest_.empty() || rest_.front() == '#')
        return result;
      auto word = next();
      if (!word)
        return std::nullopt;
      result.push_back(std::move(*word));
    }
  }

private:
  std::optional<std::string> next() {
    std::string result;
    char quote = '\0';
    while (!rest_.empty() && (quote != '\0' || (rest_.front() != ' ' && rest_.front() != '\t'))) {
      const char x = rest_.front();
      if (x == '\\' && escapes(quote)) {
        result += rest_[1];
        rest_.remove_prefix(1);
      } else if (quote == '\0' && (x == '"' || x == '\'')) {
        quote = x;
      } else if (quote != '\0' && x == quote) {
        quote = '\0';
      } else {
        result += x;
      }
      rest_.remove_prefix(1);
    }
    return quote == '\0' ? std::optional{std::move(result)} : std::nullopt;
  }

  /// Whether the backslash in front has a meaning.
  [[nodiscard]] bool escapes(char quote) const {
    if (rest_.size() < 2)
      return false;
    const char next = rest_[1];
    return next == '\'' || next == '"' || next == '\\' || (quote == '\0' && next == ' ');
  }

  std::string_view rest_;
};

} // namespace

std::optional<std::string> next_word(std::string_view& rest) {
  const auto end = std::min(rest.find_first_of(" \t\r\n\"="), rest.size());
  std::string word{rest.substr(0, end)};
  rest.remove_prefix(end);
  if (rest.empty())
    return word;
  const char separator = rest.front();
  rest.remove_prefix(1);
  if (separator == '"') {
    const auto quote = rest.find('"');
    if (quote == std::string_view::npos)
      return std::nullopt;
    word += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
  }
  skip_blanks(rest);
  const bool is_blank = separator != '"' && separator != '=';
  if (is_blank && rest.starts_with('=')) {
    rest.remove_prefix(1);
    skip_blanks(rest);
  }
  return word;
}

config_result<std::optional<config_line>> parse_config_line(std::string_view text,
                                                            config_place place) {
  if (text.find('\0') != std::string_view::npos)
    return config_failure(std::move(place), "the line holds a byte of value 0");
  // A form feed may end a line, but not stand within.
  while (!text.empty()
         && (blanks.find(text.back()) != std::string_view::npos || text.back() == '\f'))
    text.remove_suffix(1);
  skip_blanks(text);
  if (text.empty() || text.front() == '#')
    return std::nullopt;
  const auto keyword = next_word(text);
  if (!keyword || keyword->empty())
    return config_failure(std::move(place), "a keyword is missing");
  config_line result{std::move(place), to_lower(*keyword), {}, {}};
  result.place.keyword = *keyword;
  skip_blanks(text);
  if (text.empty())
    return config_failure(std::move(result.place), "an argument is missing");
  auto arguments = argument_splitter{text}.split();
  if (!arguments)
    return config_failure(std::move(result.place), "a quotation does not end");
  result.rest = text;
  result.arguments = std::move(*arguments);
  return result;
}

config_result<std::vector<config_line>> parse_config(std::string_view text,
                                                     const std::string& file) {
  std::vector<config_line> result;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = parse_config_line(text.substr(0, end), {file, number, {}});
    if (!line)
      return tl::unexpected{std::move(line.error())};
    if (*line)
      result.push_back(std::move(**line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

} // namespace sshexec::ssh
