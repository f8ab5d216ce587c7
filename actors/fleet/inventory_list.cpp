#include "sshexec/actors/fleet/inventory_builder.hpp"
#include "sshexec/actors/fleet/text_fault.hpp"
#include "sshexec/actors/services/escape.hpp"
#include "sshexec/ssh/address.hpp"

#include <algorithm>
#include <utility>

namespace sshexec {

namespace {

using done = tl::expected<void, std::string>;
using failed = tl::unexpected<std::string>;

constexpr std::string_view blanks = " \t\r\v\f";

bool is_blank(char x) {
  return blanks.find(x) != std::string_view::npos;
}

/// The words of a line: blanks separate them unless they stand in quotes, and a word that begins
/// with '#' begins a comment.
tl::expected<std::vector<std::string>, std::string> split_words(std::string_view line) {
  std::vector<std::string> result;
  std::string word;
  bool is_in_word = false;
  char quote = 0;
  for (const char x : line) {
    const bool is_end = quote == 0 && is_blank(x);
    if (!is_in_word && x == '#')
      break;
    if (is_end && is_in_word)
      result.push_back(std::exchange(word, {}));
    is_in_word = !is_end;
    if (is_end)
      continue;
    if (x == quote)
      quote = 0;
    else if (quote == 0 && (x == '\'' || x == '"'))
      quote = x;
    else
      word += x;
  }
  if (quote != 0)
    return failed{"a quotation mark is not closed"};
  if (is_in_word)
    result.push_back(word);
  return result;
}

/// "[1:20:2]" is Ansible's way to write "[1-20/2]".
std::string to_node_set(std::string text) {
  std::size_t end = 0;
  for (std::size_t begin = text.find('['); begin != std::string::npos;
       begin = text.find('[', end)) {
    end = std::min(text.find(']', begin), text.size());
    const auto is_range = [](char x) { return (x >= '0' && x <= '9') || x == ':'; };
    const auto first = text.begin() + static_cast<std::ptrdiff_t>(begin) + 1;
    const auto last = text.begin() + static_cast<std::ptrdiff_t>(end);
    const auto colon = std::find(first, last, ':');
    if (colon == last || !std::all_of(first, last, is_range)
        || ssh::is_ipv6(std::string{first, last}))
      continue;
    *colon = '-';
    std::replace(colon, last, ':', '/');
  }
  return text;
}

/// What the lines behind a heading are.
enum class section { machines, children, variables };

class list_reader {
public:
  explicit list_reader(const inventory_limits& limits)
    : builder_(limits.max_machines), max_machines_(limits.max_machines) {}

  done read_line(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty() || line.front() == ';' || line.front() == '#')
      return {};
    if (section_ == section::variables && line.front() != '[')
      return read_variable(line);
    const auto words = split_words(line);
    if (!words)
      return failed{words.error()};
    if (words->size() == 1 && is_heading(words->front()))
      return read_heading(words->front().substr(1, words->front().size() - 2));
    return section_ == section::children ? read_child(*words) : read_machines(*words);
  }

  tl::expected<inventory, std::string> finish() { return builder_.finish(); }

private:
  static bool is_heading(const std::string& word) {
    return word.starts_with('[') && word.find(']') + 1 == word.size()
           && !ssh::is_ipv6(word.substr(1, word.size() - 2));
  }

  done read_heading(const std::string& text) {
    const auto colon = std::min(text.find(':'), text.size());
    const std::string kind = text.substr(colon);
    group_ = text.substr(0, colon);
    if (group_.empty())
      return failed{"a group has no name"};
    if (kind.empty())
      section_ = section::machines;
    else if (kind == ":children")
      section_ = section::children;
    else if (kind == ":vars")
      section_ = section::variables;
    else
      return failed{"behind a group stands ':children' or ':vars', not " + quote(kind)};
    builder_.add_group(group_);
    return {};
  }

  done read_machines(const std::vector<std::string>& words) {
    connection_variables variables;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
      const auto sign = word->find('=');
      if (sign == std::string::npos)
        return failed{quote(*word) + " is no variable, such as ansible_port=2222"};
      auto set = variables.set(word->substr(0, sign), word->substr(sign + 1));
      if (!set)
        return set;
    }
    const auto names = expand_node_set(to_node_set(words.front()), {}, {max_machines_});
    if (!names)
      return failed{names.error()};
    for (const std::string& name : *names) {
      auto added = builder_.add_machine(group_, name);
      if (!added)
        return added;
      builder_.variables_of_machine(name).override_with(variables);
    }
    return {};
  }

  done read_child(const std::vector<std::string>& words) {
    if (words.size() != 1)
      return failed{"one group a line is wanted"};
    builder_.add_child(group_, words.front());
    return {};
  }

  /// "name = value", with or without the blanks. Of values that mean nothing here, Ansible alone
  /// knows how to read the quotation marks.
  done read_variable(std::string_view line) {
    const auto sign = line.find('=');
    if (sign == std::string_view::npos)
      return failed{"a variable is wanted, such as ansible_port=2222"};
    const auto name = line.substr(0, line.find_last_not_of(blanks, sign - 1) + 1);
    if (!connection_variables::are_those(name))
      return {};
    const auto words = split_words(line.substr(sign + 1));
    if (!words)
      return failed{words.error()};
    return builder_.variables_of_group(group_).set(name, words->empty() ? "" : words->front());
  }

  inventory_builder builder_;
  std::size_t max_machines_;
  std::string group_ = "ungrouped";
  section section_ = section::machines;
};

} // namespace

tl::expected<inventory, std::string>
parse_inventory(std::string_view text, const std::string& source, const inventory_limits& limits) {
  list_reader reader{limits};
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto read = reader.read_line(text.substr(begin, end - begin));
    if (!read)
      return failed{
        escape_controls(source + ", line " + std::to_string(number) + ": " + read.error())};
    begin = end + 1;
  }
  auto result = reader.finish();
  if (!result)
    return failed{escape_controls(source + ": " + result.error())};
  return result;
}

} // namespace sshexec
