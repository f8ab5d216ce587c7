#include "sshexec/ssh/pattern.hpp"

#include <algorithm>
#include <cstddef>

namespace sshexec::ssh {

bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resume = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == text[at])) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

bool matches_list(std::string_view text, std::string_view patterns) {
  bool named = false;
  while (!patterns.empty()) {
    const auto end = std::min(patterns.find(','), patterns.size());
    const auto pattern = patterns.substr(0, end);
    patterns.remove_prefix(std::min(end + 1, patterns.size()));
    const bool negated = pattern.starts_with('!');
    if (!pattern.empty() && matches_pattern(text, pattern.substr(negated ? 1 : 0))) {
      if (negated)
        return false;
      named = true;
    }
  }
  return named;
}

} // namespace sshexec::ssh
