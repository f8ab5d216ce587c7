#include "sshexec/ssh/config/config_reader.hpp"

#include "sshexec/ssh/config/expansion.hpp"
#include "sshexec/ssh/config/keywords.hpp"
#include "sshexec/ssh/known_hosts.hpp"
#include "sshexec/ssh/lower_case.hpp"
#include "sshexec/ssh/pattern.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Whether a line decides what is in force, so that it has a meaning in files alone.
bool is_structure(const config_line& line) {
  return line.keyword == "host" || line.keyword == "match" || line.keyword == "include";
}

/// Takes so many of what is left.
bool spend(std::size_t& left, std::size_t count) {
  const bool is_enough = count <= left;
  left -= is_enough ? count : left;
  return is_enough;
}

} // namespace

config_reader::config_reader(config_draft& draft, std::string usual_user,
                             const config_environment& environment, config_files& files,
                             const config_limits& limits)
  : draft_(draft),
    usual_user_(std::move(usual_user)),
    environment_(environment),
    files_(files),
    left_(limits) {}

config_result<void> config_reader::take_option(const std::string& text) {
  const auto line = parse_config_line(text, {{}, 0, text});
  if (!line)
    return tl::unexpected{line.error()};
  if (!*line)
    return config_failure({{}, 0, text}, "it says nothing");
  if (is_structure(**line))
    return config_failure((*line)->place, "it stands in files alone");
  return take_value({**line, find_keyword((*line)->keyword)});
}

config_result<void> config_reader::read(const config_source& source,
                                        const config_subject& subject) {
  subject_ = subject;
  const config_place place{source.path, 0, {}};
  const auto file = files_.load(source.path, place, left_.bytes);
  if (!file)
    return tl::unexpected{file.error()};
  if (*file == nullptr && source.must_exist)
    return config_failure(place, "there is no such file");
  if (*file == nullptr)
    return {};
  if (source.must_be_safe && !(*file)->is_safe)
    return config_failure(place, "others than root and you may write to it");
  return take_lines(**file, {source.is_users, true, true, 0});
}

/// What is read twice costs twice.
config_result<void> config_reader::count(const parsed_config& file, const config_place& place) {
  if (spend(left_.files, 1) && spend(left_.lines, file.lines.size())
      && spend(left_.bytes, file.bytes))
    return {};
  return config_failure(place, "the configuration is too large");
}

config_result<void> config_reader::take_lines(const parsed_config& file, open_file state) {
  const auto& lines = file.lines;
  if (auto counted = count(
        file, lines.empty() ? config_place{} : config_place{lines.front().line.place.file, 0, {}});
      !counted)
    return counted;
  for (const checked_line& x : lines)
    if (auto taken = take(x, state); !taken)
      return taken;
  return {};
}

config_result<void> config_reader::take(const checked_line& x, open_file& state) {
  const std::string& keyword = x.line.keyword;
  if (keyword == "host")
    return take_host(x.line, state);
  if (keyword == "match")
    return take_match(x.line, state);
  if (keyword == "include")
    return include(x.line, state);
  // Even where it is not in force, an unknown keyword is an error.
  return state.is_in_force || x.keyword == nullptr ? take_value(x) : config_result<void>{};
}

config_result<void> config_reader::take_value(const checked_line& x) {
  const auto& [line, keyword] = x;
  if (keyword == nullptr)
    return ignores(line.keyword) ? config_result<void>{}
                                 : config_failure(line.place, "there is no such keyword");
  const auto taken = take_line(draft_, *keyword, line, true);
  return taken ? config_result<void>{} : config_failure(line.place, taken.error());
}

bool config_reader::ignores(const std::string& keyword) const {
  return draft_.ignore_unknown && matches_list(keyword, to_lower(*draft_.ignore_unknown));
}

config_result<void> config_reader::take_host(const config_line& line, open_file& state) {
  state.is_in_force = false;
  bool is_excluded = false;
  for (const std::string& word : line.arguments) {
    if (word.empty())
      return config_failure(line.place, "an argument is empty");
    const bool is_negated = word.starts_with('!');
    if (!matches_pattern(subject_.host, std::string_view{word}.substr(is_negated ? 1 : 0)))
      continue;
    state.is_in_force = state.can_match;
    is_excluded = is_excluded || is_negated;
  }
  state.is_in_force = state.is_in_force && !is_excluded;
  return {};
}

config_result<void> config_reader::take_match(const config_line& line, open_file& state) {
  const auto criteria = parse_match(line.rest);
  if (!criteria)
    return config_failure(line.place, criteria.error());
  wants_final_pass_
    = wants_final_pass_ || std::any_of(criteria->begin(), criteria->end(), [](const auto& x) {
        return x.subject == match_subject::final;
      });
  // Nobody asks for the conditions of a file that is not in force.
  const auto matches = state.can_match ? holds(*criteria) : value_result<bool>{false};
  if (!matches)
    return config_failure(line.place, matches.error());
  state.is_in_force = *matches;
  return {};
}

/// The name that Match compares: that of the machine, as far as it is known.
value_result<std::string> config_reader::matched_host() const {
  if (subject_.is_final || !draft_.hostname)
    return subject_.host;
  return expand_tokens(draft_.hostname->text, host_token(subject_.host));
}

value_result<bool> config_reader::holds(const std::vector<match_criterion>& criteria) {
  const auto host = matched_host();
  if (!host)
    return tl::unexpected{host.error()};
  for (const match_criterion& x : criteria) {
    const auto matches = holds(x, *host);
    if (!matches || *matches == x.is_negated)
      return matches ? value_result<bool>{false} : matches;
  }
  return true;
}

value_result<bool> config_reader::holds(const match_criterion& criterion, const std::string& host) {
  const std::string& argument = criterion.argument;
  switch (criterion.subject) {
    case match_subject::all:
      return true;
    case match_subject::canonical:
    case match_subject::final:
      return subject_.is_final;
    case match_subject::host:
      return matches_list(to_lower(host), to_lower(argument));
    case match_subject::originalhost:
      return matches_list(to_lower(subject_.original_host), to_lower(argument));
    case match_subject::user:
      return matches_list(draft_.user.value_or(usual_user_), argument);
    case match_subject::localuser:
      return matches_list(environment_.user, argument);
    case match_subject::tagged:
      return matches_list(draft_.options.tag.value_or(""), argument);
    case match_subject::exec:
      return succeeds(argument, host);
  }
  return false;
}

value_result<bool> config_reader::succeeds(const std::string& line, const std::string& host) {
  const auto tokens
    = make_tokens({host, subject_.original_host, std::to_string(draft_.port.value_or(default_port)),
                   draft_.user.value_or(usual_user_), draft_.options.host_key_alias.value_or(host)},
                  environment_);
  const auto command = expand_tokens(line, tokens);
  if (!command)
    return tl::unexpected{command.error()};
  const auto status = environment_.run(*command);
  if (!status)
    return tl::unexpected{"cannot run '" + *command + "': " + status.error().text};
  return *status == 0;
}

config_result<void> config_reader::include(const config_line& line, const open_file& state) {
  for (const std::string& word : line.arguments) {
    if (word.empty())
      return config_failure(line.place, "an argument is empty");
    const auto pattern = anchor(word, state.is_users);
    if (!pattern)
      return config_failure(line.place, pattern.error());
    const auto paths = files_.find(*pattern, line.place);
    if (!paths)
      return tl::unexpected{paths.error()};
    for (const std::string& path : *paths)
      if (auto included = include_file(path, line, state); !included)
        return included;
  }
  return {};
}

value_result<std::string> config_reader::anchor(const std::string& path, bool is_users) const {
  if (path.starts_with('/'))
    return path;
  if (!is_users)
    return path.starts_with('~')
             ? value_result<std::string>{tl::unexpect, "'~' is nobody's home in a system's file"}
             : "/etc/ssh/" + path;
  return expand_tilde(path.starts_with('~') ? path : "~/.ssh/" + path, environment_);
}

config_result<void> config_reader::include_file(const std::string& path, const config_line& line,
                                                const open_file& state) {
  if (state.depth >= left_.depth)
    return config_failure(line.place, "files include each other more than "
                                        + std::to_string(left_.depth) + " deep");
  const auto file = files_.load(path, line.place, left_.bytes);
  if (!file)
    return tl::unexpected{file.error()};
  if (*file == nullptr)
    return config_failure(line.place, "cannot read " + path + ": there is no such file");
  if (!(*file)->is_safe)
    return config_failure(line.place, "others than root and you may write to " + path);
  return take_lines(**file,
                    {state.is_users, state.is_in_force, state.is_in_force, state.depth + 1});
}

} // namespace sshexec::ssh
