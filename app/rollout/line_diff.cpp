#include "sshexec/app/rollout/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <unordered_map>
#include <vector>

namespace sshexec::app {

namespace {

/// Lines around a change that are shown, too.
constexpr std::size_t context = 3;

using lines = std::vector<std::string_view>;

lines lines_of(std::string_view text) {
  lines result;
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size());
    result.push_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return result;
}

/// Lines that are to be removed from one text, and those that stand in their place in the other.
struct change {
  std::size_t before_at = 0;
  std::size_t before_end = 0;
  std::size_t after_at = 0;
  std::size_t after_end = 0;
};

/// The fewest changes that make one sequence of the other: E. W. Myers, An O(ND) difference
/// algorithm and its variations (1986), the greedy one.
class comparison {
public:
  comparison(const lines& before, const lines& after) {
    std::unordered_map<std::string_view, std::uint32_t> numbers;
    const auto number = [&numbers](std::string_view line) {
      return numbers.try_emplace(line, static_cast<std::uint32_t>(numbers.size())).first->second;
    };
    std::transform(before.begin(), before.end(), std::back_inserter(before_), number);
    std::transform(after.begin(), after.end(), std::back_inserter(after_), number);
  }

  /// In order; nothing if more lines than so many are to be removed and added.
  std::optional<std::vector<change>> changes(std::size_t most) {
    for (std::size_t edits = 0; edits <= most; ++edits)
      if (reaches_the_end_with(edits))
        return way_back();
    return std::nullopt;
  }

private:
  using place = std::ptrdiff_t;

  /// Of the ways of so many edits, the furthest on each diagonal; whether one is at the end.
  bool reaches_the_end_with(std::size_t edits) {
    std::vector<place> row(edits + 1);
    for (std::size_t i = 0; i <= edits; ++i) {
      place x = edits == 0 ? 0 : is_added(i) ? furthest_.back()[i] : furthest_.back()[i - 1] + 1;
      place y = x - diagonal(edits, i);
      while (x < size(before_) && y < size(after_) && at(before_, x) == at(after_, y)) {
        ++x;
        ++y;
      }
      row[i] = x;
      if (x >= size(before_) && y >= size(after_)) {
        end_ = i;
        furthest_.push_back(std::move(row));
        return true;
      }
    }
    furthest_.push_back(std::move(row));
    return false;
  }

  /// Whether the best way to diagonal `i` of the row behind the last one adds a line; otherwise it
  /// removes one.
  [[nodiscard]] bool is_added(std::size_t i) const {
    const auto& row = furthest_.back();
    return i == 0 || (i < row.size() && row[i - 1] < row[i]);
  }

  std::vector<change> way_back() {
    std::vector<change> result;
    std::size_t i = end_;
    furthest_.pop_back();
    while (!furthest_.empty()) {
      const bool added = is_added(i);
      i -= added ? 0 : 1;
      const auto edits = furthest_.size() - 1;
      const place x = furthest_.back()[i];
      const place y = x - diagonal(edits, i);
      prepend(result, static_cast<std::size_t>(x), static_cast<std::size_t>(y), added);
      furthest_.pop_back();
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

  /// Neighbours are one change.
  static void prepend(std::vector<change>& reversed, std::size_t x, std::size_t y, bool added) {
    const change next{x, x + (added ? 0 : 1), y, y + (added ? 1 : 0)};
    if (!reversed.empty() && reversed.back().before_at == next.before_end
        && reversed.back().after_at == next.after_end) {
      reversed.back().before_at = x;
      reversed.back().after_at = y;
    } else {
      reversed.push_back(next);
    }
  }

  /// How many more lines were taken of one text than of the other.
  static place diagonal(std::size_t edits, std::size_t i) {
    return 2 * static_cast<place>(i) - static_cast<place>(edits);
  }

  static place size(const std::vector<std::uint32_t>& x) { return std::ssize(x); }

  static std::uint32_t at(const std::vector<std::uint32_t>& x, place i) {
    return x[static_cast<std::size_t>(i)];
  }

  /// Equal lines have equal numbers.
  std::vector<std::uint32_t> before_;
  std::vector<std::uint32_t> after_;
  /// For each number of edits, how many lines of the first text are behind the furthest way on each
  /// diagonal that such a way can end on.
  std::vector<std::vector<place>> furthest_;
  std::size_t end_ = 0;
};

/// "5,2", as a hunk's header has it.
std::string range(std::size_t at, std::size_t end) {
  const auto size = end - at;
  const auto first = size == 0 ? at : at + 1;
  return size == 1 ? fmt::format("{}", first) : fmt::format("{},{}", first, size);
}

void append(std::string& text, char sign, const lines& of, std::size_t at, std::size_t end) {
  for (; at < end; ++at) {
    text += sign;
    text += of[at];
    text += '\n';
  }
}

/// Changes that are so near to one another that they stand in one hunk.
std::string hunk(const lines& before, const lines& after, const change* first, const change* last) {
  const auto lead = std::min(context, first->before_at);
  const auto tail = std::min(context, before.size() - last->before_end);
  std::string text
    = fmt::format("@@ -{} +{} @@\n", range(first->before_at - lead, last->before_end + tail),
                  range(first->after_at - lead, last->after_end + tail));
  std::size_t shown = first->before_at - lead;
  for (const change* i = first; i <= last; ++i) {
    append(text, ' ', before, shown, i->before_at);
    append(text, '-', before, i->before_at, i->before_end);
    append(text, '+', after, i->after_at, i->after_end);
    shown = i->before_end;
  }
  append(text, ' ', before, shown, shown + tail);
  return text;
}

} // namespace

std::optional<std::string> unified_diff(std::string_view before, std::string_view after,
                                        std::size_t most_changes) {
  const lines old_lines = lines_of(before);
  const lines new_lines = lines_of(after);
  if (std::max(old_lines.size(), new_lines.size()) > most_compared_lines)
    return std::nullopt;
  const auto changes = comparison{old_lines, new_lines}.changes(most_changes);
  if (!changes)
    return std::nullopt;
  std::string hunks;
  const change* const end = changes->data() + changes->size();
  for (const change* first = changes->data(); first != end;) {
    const change* last = first;
    while (last + 1 != end && last[1].before_at - last->before_end <= 2 * context)
      ++last;
    hunks += hunk(old_lines, new_lines, first, last);
    first = last + 1;
  }
  return hunks;
}

} // namespace sshexec::app
