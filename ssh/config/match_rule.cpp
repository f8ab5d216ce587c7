#include "sshexec/ssh/config/match_rule.hpp"

#include "sshexec/ssh/config/config_line.hpp"
#include "sshexec/ssh/config/config_values.hpp"

#include <array>
#include <optional>
#include <utility>

namespace sshexec::ssh {

namespace {

constexpr std::array<named_value<match_subject>, 9> subjects{
  {{"all", match_subject::all},
   {"canonical", match_subject::canonical},
   {"final", match_subject::final},
   {"host", match_subject::host},
   {"originalhost", match_subject::originalhost},
   {"user", match_subject::user},
   {"localuser", match_subject::localuser},
   {"exec", match_subject::exec},
   {"tagged", match_subject::tagged}}};

bool takes_argument(match_subject x) {
  return x != match_subject::all && x != match_subject::canonical && x != match_subject::final;
}

/// The next word; empty at the end and before a comment, with which the rest goes.
std::string take_word(std::string_view& rest) {
  auto word = next_word(rest);
  if (word && !word->starts_with('#'))
    return std::move(*word);
  rest = {};
  return {};
}

} // namespace

value_result<std::vector<match_criterion>> parse_match(std::string_view rest) {
  std::vector<match_criterion> result;
  for (std::string word = take_word(rest); !word.empty(); word = take_word(rest)) {
    match_criterion criterion;
    criterion.is_negated = word.starts_with('!');
    if (criterion.is_negated)
      word.erase(0, 1);
    const auto subject = to_named(word, subjects);
    if (!subject)
      return tl::unexpected{subject.error()};
    criterion.subject = *subject;
    if (*subject == match_subject::all && (result.size() > 1 || !take_word(rest).empty()))
      return tl::unexpected<std::string>{"'all' stands alone, or behind canonical or final"};
    if (takes_argument(*subject) && (criterion.argument = take_word(rest)).empty())
      return tl::unexpected{"'" + word + "' needs an argument"};
    result.push_back(std::move(criterion));
    if (*subject == match_subject::all)
      break;
  }
  if (!rest.empty())
    return tl::unexpected<std::string>{"there is too much at the end of the line"};
  if (result.empty())
    return tl::unexpected<std::string>{"a condition is missing"};
  return result;
}

} // namespace sshexec::ssh
