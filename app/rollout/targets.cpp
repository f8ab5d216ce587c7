#include "sshexec/app/rollout/targets.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;

/// Brackets may also stand around an address.
bool has_range(const std::string& text) {
  for (auto begin = text.find('['); begin != std::string::npos; begin = text.find('[', begin + 1)) {
    const auto end = std::min(text.find(']', begin), text.size());
    const auto inside = text.substr(begin + 1, end - begin - 1);
    if (!inside.empty() && inside.find_first_not_of("0123456789-,/") == std::string::npos)
      return true;
  }
  return false;
}

/// As the shell makes one of a variable without a value.
bool is_empty(const std::string& target) {
  return target.find_first_not_of(" \t\n") == std::string::npos;
}

/// A name that says more of a machine than the inventory's own name does, as "root@web-1:2222": of
/// user and port it prevails.
tl::expected<machine, std::string> to_known_machine(const std::string& name, machine parsed,
                                                    const inventory& known) {
  auto said = parse_target(name, 0);
  if (!said)
    return said;
  const std::string known_name = parsed.hostname;
  auto result = known.to_machine(known_name, std::move(parsed));
  if (!result)
    return result;
  if (!said->username.empty())
    result->username = said->username;
  if (said->port != 0)
    result->port = said->port;
  return result;
}

tl::expected<machine, std::string> to_machine(const std::string& name,
                                              const wanted_machines& wanted) {
  auto result = wanted.parse(name);
  if (!result)
    return result;
  if (wanted.known.find(name) != nullptr)
    return wanted.known.to_machine(name, std::move(*result));
  if (wanted.known.find(result->hostname) != nullptr)
    result = to_known_machine(name, std::move(*result), wanted.known);
  if (result)
    result->id = name;
  return result;
}

} // namespace

bool is_set(const std::string& target) {
  if (target.starts_with("ssh://"))
    return false;
  return target.starts_with('@') || target.find_first_of(",!&^ \t\n") != std::string::npos
         || has_range(target);
}

tl::expected<std::vector<machine>, std::string> find_machines(const wanted_machines& wanted) {
  if (std::any_of(wanted.targets.begin(), wanted.targets.end(), is_empty))
    return failed{"a target is empty"};
  const node_set_sources sources = make_node_set_sources(wanted.groups, wanted.known);
  auto names = wanted.names ? *wanted.names : expand_node_sets(wanted.targets, sources);
  if (!names)
    return failed{names.error()};
  const auto excluded = expand_node_sets(wanted.excluded, sources);
  if (!excluded)
    return failed{excluded.error()};
  std::vector<machine> result;
  for (const std::string& name : exclude_names(std::move(*names), *excluded)) {
    auto found = to_machine(name, wanted);
    if (!found)
      return failed{found.error()};
    result.push_back(std::move(*found));
  }
  return result;
}

std::vector<std::string> names_of_groups(const std::vector<machine>& machines,
                                         const wanted_machines& wanted) {
  const auto is_group = [&wanted](const std::string& name) {
    return wanted.groups.contains(name)
           || (!wanted.known.machine_names().empty() && wanted.known.group(name));
  };
  std::vector<std::string> result;
  for (const machine& x : machines)
    if (is_group(x.id) && wanted.known.find(x.id) == nullptr)
      result.push_back(x.id);
  return result;
}

} // namespace sshexec::app
