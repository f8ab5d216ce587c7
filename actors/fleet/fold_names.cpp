#include "sshexec/actors/fleet/node_set.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace sshexec {

namespace {

/// A number that fits into 64 bits; what is longer counts as letters.
constexpr std::size_t longest_number = 18;

/// A run of digits in a name.
struct digit_run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

bool is_digit(char x) {
  return x >= '0' && x <= '9';
}

std::string_view part(std::string_view name, const digit_run& run) {
  return name.substr(run.begin, run.size);
}

/// The numbers of a name that can vary in a node set; none where brackets stand already.
std::vector<digit_run> find_numbers(std::string_view name) {
  std::vector<digit_run> result;
  if (name.find_first_of("[]") != std::string_view::npos)
    return result;
  for (std::size_t i = 0; i < name.size();) {
    const auto begin = i;
    while (i < name.size() && is_digit(name[i]))
      ++i;
    if (i > begin && i - begin <= longest_number)
      result.push_back({begin, i - begin});
    i += i == begin ? 1 : 0;
  }
  return result;
}

/// The name with a single '0' for each of its numbers: "web-01:22" and "web-7:2222" look the same.
std::string shape_of(std::string_view name, const std::vector<digit_run>& numbers) {
  std::string result;
  std::size_t end = 0;
  for (const digit_run& number : numbers) {
    result.append(name.substr(end, number.begin - end)).append("0");
    end = number.begin + number.size;
  }
  return result.append(name.substr(end));
}

/// Names of one shape: each of their numbers, with the values that it has.
using family = std::vector<std::unordered_set<std::string_view>>;

/// Which number is folded: the one with the most values, the last of several; none if all are
/// alike.
std::optional<std::size_t> find_axis(const family& numbers) {
  std::optional<std::size_t> result;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i].size() > 1 && (!result || numbers[i].size() >= numbers[*result].size()))
      result = i;
  return result;
}

/// Names that differ in one number alone.
struct fold {
  std::string_view before;
  std::string_view behind;
  std::vector<std::string_view> values;
};

std::uint64_t to_value(std::string_view digits) {
  std::uint64_t result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

/// Whether a range from `first` to `last` may go on with `next`. One that is padded keeps its
/// width.
bool is_next(std::string_view first, std::string_view last, std::string_view next) {
  const bool is_padded = first.size() > 1 && first.front() == '0';
  return to_value(next) == to_value(last) + 1
         && (next.size() == last.size() || (!is_padded && next.front() != '0'));
}

/// "1-3,5"
std::string to_ranges(std::vector<std::string_view> values) {
  std::sort(values.begin(), values.end(), [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::string result;
  for (std::size_t i = 0; i < values.size();) {
    const std::string_view first = values[i];
    std::string_view last = first;
    for (++i; i < values.size() && is_next(first, last, values[i]); ++i)
      last = values[i];
    result.append(result.empty() ? "" : ",").append(first);
    if (last != first)
      result.append("-").append(last);
  }
  return result;
}

void append(std::string& text, const fold& x) {
  text.append(text.empty() ? "" : ",").append(x.before);
  if (x.values.size() == 1)
    text.append(x.values.front());
  else if (!x.values.empty())
    text.append("[" + to_ranges(x.values) + "]");
  text.append(x.behind);
}

} // namespace

std::string fold_names(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  std::unordered_map<std::string, family> families;
  for (const std::string_view name : names) {
    const auto numbers = find_numbers(name);
    family& members = families[shape_of(name, numbers)];
    members.resize(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i)
      members[i].insert(part(name, numbers[i]));
  }
  std::vector<fold> folds;
  std::unordered_map<std::string, std::size_t> place_of_fold;
  for (const std::string_view name : names) {
    if (!seen.insert(name).second)
      continue;
    const auto numbers = find_numbers(name);
    const auto axis = find_axis(families[shape_of(name, numbers)]);
    if (!axis) {
      folds.push_back({name, {}, {}});
      continue;
    }
    const digit_run number = numbers[*axis];
    const fold own{name.substr(0, number.begin), name.substr(number.begin + number.size), {}};
    const auto [place, is_new] = place_of_fold.try_emplace(
      std::to_string(own.before.size()).append(":").append(own.before).append(own.behind),
      folds.size());
    if (is_new)
      folds.push_back(own);
    folds[place->second].values.push_back(part(name, number));
  }
  std::string result;
  for (const fold& x : folds)
    append(result, x);
  return result;
}

} // namespace sshexec
