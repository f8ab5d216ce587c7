#include "sshexec/actors/fleet/node_set.hpp"

#include "sshexec/actors/fleet/name_pattern.hpp"
#include "sshexec/actors/fleet/name_set.hpp"
#include "sshexec/actors/fleet/text_file.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

namespace sshexec {

namespace {

using names = std::vector<std::string>;
using failed = tl::unexpected<std::string>;
using faulty = tl::unexpected<text_fault>;

constexpr std::size_t largest_file = std::size_t{16} << 20;
/// Groups and files within one another.
constexpr std::size_t deepest_nesting = 64;
/// How many names may be made, repetitions included, as a multiple of the largest set: the work
/// stays bounded when groups name the same machines again and again.
constexpr std::uint64_t most_repetitions = 16;

constexpr std::string_view operators = ",!&^";
constexpr std::string_view separators = " \t\r\n\v\f";

bool is_one_of(std::string_view characters, char x) {
  return characters.find(x) != std::string_view::npos;
}

std::size_t skip_blanks(std::string_view text, std::size_t position) {
  return std::min(text.find_first_not_of(separators, position), text.size());
}

/// "web-[1-3]" with the operator before it.
struct term {
  char operation = ',';
  std::size_t position = 0;
  std::string_view text;
};

/// Where the operand ends that begins at this position. Brackets in a file's name mean nothing.
std::size_t end_of_operand(std::string_view text, std::size_t begin) {
  const bool is_file = text[begin] == '^';
  std::size_t end = is_file ? begin + 1 : begin;
  while (end < text.size() && !is_one_of(operators, text[end]) && !is_one_of(separators, text[end]))
    end
      = text[end] == '[' && !is_file ? std::min(text.find(']', end), text.size() - 1) + 1 : end + 1;
  return end;
}

tl::expected<std::vector<term>, text_fault> split(std::string_view text) {
  std::vector<term> result;
  char operation = ',';
  std::size_t position = skip_blanks(text, 0);
  while (position < text.size()) {
    const auto end = end_of_operand(text, position);
    const auto operand = text.substr(position, end - position);
    if (operand.empty() || operand == "^" || operand == "@")
      return faulty{{position, "a name is missing"}};
    result.push_back({operation, position, operand});
    position = skip_blanks(text, end);
    operation = ',';
    if (position < text.size() && is_one_of(operators, text[position])) {
      operation = text[position];
      position = skip_blanks(text, position + 1);
      if (position == text.size())
        return faulty{{position, "a name is missing"}};
    }
  }
  return result;
}

void apply(char operation, name_set& left, const names& right) {
  switch (operation) {
    case '!':
      for (const std::string& name : right)
        left.remove(name);
      break;
    case '&': {
      name_set both;
      for (const std::string& name : right)
        both.add(name);
      left.keep(both);
      break;
    }
    case '^': {
      name_set seen;
      for (const std::string& name : right)
        if (seen.add(name) && !left.remove(name))
          left.add(name);
      break;
    }
    default:
      for (const std::string& name : right)
        left.add(name);
  }
}

std::string to_reference(char kind, const std::string& target) {
  return kind == '@' ? "group " + quote(target) : target;
}

/// One expansion: which groups and files it knows by now, and what is left of its limits.
class expansion {
public:
  expansion(const node_set_sources& sources, node_set_limits limits)
    : sources_(sources), max_names_(limits.max_names) {}

  tl::expected<names, std::string> evaluate(std::string_view text) {
    const auto terms = split(text);
    if (!terms)
      return failed{describe(text, terms.error())};
    name_set result;
    for (const term& x : *terms) {
      const auto done = evaluate(x, result);
      if (!done)
        return failed{describe(text, {x.position + done.error().position, done.error().what})};
    }
    return result.take();
  }

  [[nodiscard]] std::string too_many() const {
    return "more than " + std::to_string(max_names_) + " machines";
  }

private:
  tl::expected<void, text_fault> evaluate(const term& x, name_set& result) {
    const bool is_reference = x.text.front() == '@' || x.text.front() == '^';
    const auto operand = is_reference ? refer(x.text) : make_names(x.text);
    if (!operand)
      return faulty{operand.error()};
    apply(x.operation, result, *operand);
    if (result.size() > max_names_)
      return faulty{{0, too_many()}};
    return {};
  }

  tl::expected<names, text_fault> make_names(std::string_view text) {
    const auto pattern = name_pattern::parse(text);
    if (!pattern)
      return faulty{pattern.error()};
    if (pattern->count() > max_names_)
      return faulty{{0, too_many()}};
    names result;
    const auto spent = spend(pattern->count());
    if (!spent)
      return faulty{{0, spent.error()}};
    result.reserve(pattern->count());
    pattern->for_each([&](const std::string& name) { result.push_back(name); });
    return result;
  }

  /// The machines of a group, of several ("@rack[1-3]"), or of a file.
  tl::expected<names, text_fault> refer(std::string_view text) {
    const char kind = text.front();
    text.remove_prefix(1);
    const auto targets = kind == '@' ? make_names(text) : names{std::string{text}};
    if (!targets)
      return faulty{{targets.error().position + 1, targets.error().what}};
    names result;
    for (const std::string& target : *targets) {
      const auto members = look_up(kind, target);
      if (!members)
        return faulty{{0, members.error()}};
      result.insert(result.end(), (*members)->begin(), (*members)->end());
    }
    return result;
  }

  tl::expected<const names*, std::string> look_up(char kind, const std::string& target) {
    const std::string key = kind + target;
    auto known = known_.find(key);
    if (known == known_.end()) {
      if (std::find(open_.begin(), open_.end(), key) != open_.end())
        return failed{to_reference(kind, target) + " names itself"};
      if (open_.size() == deepest_nesting)
        return failed{"groups and files name one another more than 64 deep"};
      open_.push_back(key);
      auto members = kind == '@' ? read_group(target) : read_file(target);
      open_.pop_back();
      if (!members)
        return failed{members.error()};
      known = known_.emplace(key, std::move(*members)).first;
    }
    const auto spent = spend(known->second.size());
    if (!spent)
      return failed{spent.error()};
    return &known->second;
  }

  tl::expected<names, std::string> read_group(const std::string& name) {
    const auto text = sources_.group ? sources_.group(name) : std::nullopt;
    if (!text)
      return failed{"there is no " + to_reference('@', name)};
    auto result = evaluate(*text);
    if (!result)
      return failed{to_reference('@', name) + ": " + result.error()};
    return result;
  }

  tl::expected<names, std::string> read_file(const std::string& path) {
    if (!sources_.file)
      return failed{"files are not read here"};
    const auto text = sources_.file(path);
    if (!text)
      return failed{text.error()};
    name_set result;
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < text->size(); ++number) {
      const auto end = std::min(text->find('\n', begin), text->size());
      const auto line = std::string_view{*text}.substr(begin, end - begin);
      const auto members = evaluate(line.substr(0, line.find('#')));
      if (!members)
        return failed{path + ", line " + std::to_string(number + 1) + ": " + members.error()};
      apply(',', result, *members);
      if (result.size() > max_names_)
        return failed{path + ": " + too_many()};
      begin = end + 1;
    }
    return result.take();
  }

  /// Names that were made again and again cost time, too.
  tl::expected<void, std::string> spend(std::uint64_t count) {
    names_made_ += count;
    if (names_made_ / most_repetitions > max_names_)
      return failed{"machines are named too many times"};
    return {};
  }

  const node_set_sources& sources_;
  std::size_t max_names_;
  std::uint64_t names_made_ = 0;
  std::map<std::string, names> known_;
  /// The groups and files that are being read, each within the one before.
  names open_;
};

} // namespace

tl::expected<std::string, std::string> node_set_file(const std::string& path) {
  return read_text_file(path, largest_file);
}

tl::expected<std::vector<std::string>, std::string>
expand_node_set(std::string_view text, const node_set_sources& sources, node_set_limits limits) {
  return expansion{sources, limits}.evaluate(text);
}

tl::expected<std::vector<std::string>, std::string>
expand_node_sets(const std::vector<std::string>& texts, const node_set_sources& sources,
                 node_set_limits limits) {
  expansion one{sources, limits};
  name_set result;
  for (const std::string& text : texts) {
    const auto members = one.evaluate(text);
    if (!members)
      return failed{members.error()};
    apply(',', result, *members);
    if (result.size() > limits.max_names)
      return failed{one.too_many()};
  }
  return result.take();
}

std::vector<std::string> exclude_names(std::vector<std::string> included,
                                       const std::vector<std::string>& excluded) {
  const std::unordered_set<std::string_view> out{excluded.begin(), excluded.end()};
  std::erase_if(included, [&](const std::string& name) { return out.contains(name); });
  return included;
}

} // namespace sshexec
