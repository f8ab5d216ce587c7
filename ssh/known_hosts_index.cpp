#include "sshexec/ssh/known_hosts_index.hpp"

#include "sshexec/ssh/lower_case.hpp"
#include "sshexec/ssh/pattern.hpp"

#include <libssh/libssh.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Names that are known not to be hashed are forgotten beyond so many.
constexpr std::size_t most_names = 100'000;

/// Cuts the text up to `separators` off the front of `rest`.
std::string_view next_token(std::string_view& rest, std::string_view separators) {
  const auto begin = std::min(rest.find_first_not_of(separators), rest.size());
  const auto end = std::min(rest.find_first_of(separators, begin), rest.size());
  const auto token = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return token;
}

/// Whether a line's list of names means this host. (libssh's parser looks at one pattern at a time
/// and takes a host for named that a negated pattern names.)
bool means(std::string_view names, const std::string& host) {
  return matches_list(host, to_lower(names));
}

/// Whether libssh can read the line's key.
bool is_key(const host_key& key) {
  const std::string text = "host " + key.type + ' ' + key.base64;
  ssh_knownhosts_entry* parsed = nullptr;
  if (ssh_known_hosts_parse_line(nullptr, text.c_str(), &parsed) != SSH_OK)
    return false;
  ssh_knownhosts_entry_free(parsed);
  return true;
}

} // namespace

known_hosts_index::known_hosts_index(std::string text) {
  append(std::move(text));
}

void known_hosts_index::append(std::string text) {
  std::string_view rest = texts_.emplace_back(std::move(text));
  while (!rest.empty()) {
    const char* const before = rest.data();
    const std::string_view text = next_token(rest, "\n");
    // What was skipped are ends of lines.
    line_ends_ += static_cast<std::size_t>(text.data() - before);
    line x = parse(text);
    x.number = line_ends_ + 1;
    add(x);
  }
}

known_keys known_hosts_index::find(const std::string& name) {
  look_among_hashed(name);
  known_keys result;
  for (const std::size_t number : lines_about(name)) {
    const line& x = lines_[number];
    host_key key{std::string{x.type}, std::string{x.base64}};
    if (!is_key(key))
      continue;
    if (x.marker.empty()) {
      if (result.trusted.empty())
        result.line = x.number;
      result.trusted.push_back(std::move(key));
    } else if (x.marker == "@revoked")
      result.revoked.push_back(std::move(key));
  }
  return result;
}

known_hosts_index::line known_hosts_index::parse(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  line result;
  result.names = next_token(text, blanks);
  if (result.names.starts_with('@')) {
    result.marker = result.names;
    result.names = next_token(text, blanks);
  }
  result.type = next_token(text, blanks);
  result.base64 = next_token(text, blanks);
  return result;
}

void known_hosts_index::add(const line& x) {
  if (x.base64.empty() || x.names.starts_with('#'))
    return;
  const std::size_t number = lines_.size();
  lines_.push_back(x);
  if (x.names.starts_with('|')) {
    if (auto name = hashed_name::parse(x.names)) {
      hashed_.push_back({std::move(*name), number});
      not_hashed_.clear();
    }
  } else if (x.names.find_first_of("*?!") != std::string_view::npos) {
    patterns_.push_back(number);
  } else {
    for (std::string_view rest = x.names; !rest.empty();)
      by_name_[to_lower(next_token(rest, ","))].push_back(number);
  }
}

/// A line of a hashed name that was seen through is as good as a plain one.
void known_hosts_index::look_among_hashed(const std::string& name) {
  if (hashed_.empty() || not_hashed_.contains(name))
    return;
  const auto found = std::partition(hashed_.begin(), hashed_.end(),
                                    [&](const hashed_line& x) { return !x.name.is(name); });
  std::for_each(found, hashed_.end(),
                [&](const hashed_line& x) { by_name_[name].push_back(x.number); });
  hashed_.erase(found, hashed_.end());
  if (not_hashed_.size() >= most_names)
    not_hashed_.clear();
  not_hashed_.insert(name);
}

std::vector<std::size_t> known_hosts_index::lines_about(const std::string& name) const {
  std::vector<std::size_t> result;
  if (const auto found = by_name_.find(name); found != by_name_.end())
    result = found->second;
  std::copy_if(patterns_.begin(), patterns_.end(), std::back_inserter(result),
               [&](std::size_t number) { return means(lines_[number].names, name); });
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

} // namespace sshexec::ssh
