#include "sshexec/app/configuration_text.hpp"

#include "sshexec/app/quantities.hpp"

#include <cctype>
#include <regex>
#include <sstream>
#include <string_view>
#include <utility>

namespace sshexec::app {

namespace {

/// A number with a unit, in the units that CAF 0.17 knows.
std::string in_units_of_caf(const std::string& word) {
  if (word.empty() || std::isdigit(static_cast<unsigned char>(word.front())) == 0)
    return word;
  if (std::isalpha(static_cast<unsigned char>(word.back())) == 0)
    return word;
  if (const auto size = parse_size(word))
    return std::to_string(*size);
  if (const auto duration = parse_duration(word))
    return std::to_string(duration->count()) + "ns";
  return word;
}

bool is_part_of_word(char x) {
  return std::isalnum(static_cast<unsigned char>(x)) != 0 || x == '.' || x == '_' || x == '-';
}

std::string trim(const std::string& text) {
  constexpr const char* blanks = " \t\r";
  const auto first = text.find_first_not_of(blanks);
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace

configuration_text::configuration_text(std::string file, std::string content)
  : file_(std::move(file)), content_(std::move(content)) {
  std::istringstream in{content_};
  for (std::string line; std::getline(in, line);)
    lines_.push_back(trim(line));
}

std::string configuration_text::in_words_of_caf() const {
  std::string_view text = content_;
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  std::string result;
  std::string word;
  bool is_quoted = false;
  bool is_comment = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char x = text[i];
    if (!is_quoted && !is_comment && is_part_of_word(x)) {
      word += x;
      continue;
    }
    result += in_units_of_caf(std::exchange(word, {}));
    const bool begins_comment = !is_quoted && !is_comment && (x == '#' || x == ';');
    const bool ends_windows_line = x == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    result += begins_comment ? ';' : ends_windows_line ? ' ' : x;
    is_comment = (is_comment || begins_comment) && x != '\n';
    if (is_quoted && x == '\\' && i + 1 < text.size())
      result += text[++i];
    else if (x == '\n')
      is_quoted = false;
    else if (x == '"' && !is_comment)
      is_quoted = !is_quoted;
  }
  return result + in_units_of_caf(word);
}

const std::string* configuration_text::find(std::size_t line) const {
  return line == 0 || line > lines_.size() ? nullptr : &lines_[line - 1];
}

std::string configuration_text::complaint(std::size_t line, const std::string& what) const {
  const std::string* text = find(line);
  if (text == nullptr)
    return file_ + ": " + what;
  return file_ + ':' + std::to_string(line) + ": " + what + ", in: " + *text;
}

std::string configuration_text::complaint_about_option(const std::string& message) const {
  const std::size_t line = line_of_option_in(message);
  if (line != 0 && message.find("does not exist") != std::string::npos)
    return file_ + ':' + std::to_string(line) + ": " + message;
  return complaint(line, message);
}

std::optional<std::string> configuration_text::missing_quotes(std::size_t line) const {
  static const std::regex bare{R"(.*?([\w-]+)\s*=\s*([A-Za-z~/.@][^"'#;,{}]*?)\s*([#;}].*)?)"};
  const std::string* text = find(line);
  std::smatch found;
  if (text == nullptr || !std::regex_match(*text, found, bare))
    return std::nullopt;
  return "a text needs quotes: " + found.str(1) + " = \"" + found.str(2) + '"';
}

std::size_t configuration_text::line_of_option_in(const std::string& message) const {
  static const std::regex name{R"(([\w-]+)\s*[\]={])"};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const std::string& line = lines_[i];
    for (std::sregex_iterator found{line.begin(), line.end(), name}, end; found != end; ++found) {
      if (std::regex_search(message, std::regex{"[. ]" + found->str(1) + "( |$)"}))
        return i + 1;
    }
  }
  return 0;
}

} // namespace sshexec::app
