#include "sshexec/actors/fleet/inventory.hpp"

#include "sshexec/actors/fleet/name_set.hpp"
#include "sshexec/actors/fleet/program_output.hpp"
#include "sshexec/actors/fleet/text_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace sshexec {

namespace {

std::string join(const std::vector<std::string>& node_sets) {
  std::string result;
  for (const std::string& x : node_sets)
    result.append(result.empty() ? "" : ",").append(x);
  return result;
}

bool is_program(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)
         && ::access(path.c_str(), X_OK) == 0;
}

tl::expected<inventory, std::string> parse_any(const std::string& text, const std::string& source,
                                               const inventory_limits& limits) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  const bool is_json = begin != std::string::npos && text[begin] == '{';
  return is_json ? parse_inventory_json(text, source, limits)
                 : parse_inventory(text, source, limits);
}

/// What the groups of the settings and of an inventory stand for.
struct known_groups {
  std::map<std::string, std::string> own;
  inventory machines;

  [[nodiscard]] std::optional<std::string> find(const std::string& name) const {
    const auto found = own.find(name);
    if (found != own.end())
      return found->second;
    return name == "*" ? everything() : machines.group(name);
  }

  [[nodiscard]] std::string everything() const {
    std::vector<std::string> parts;
    for (const auto& [name, members] : own)
      parts.push_back('@' + name);
    parts.insert(parts.end(), machines.machine_names().begin(), machines.machine_names().end());
    return join(parts);
  }
};

} // namespace

std::optional<std::string> inventory::group(const std::string& name) const {
  if (name == "*" || name == "all")
    return join(names_);
  if (!groups_.contains(name))
    return std::nullopt;
  return join(members(name));
}

std::vector<std::string> inventory::members(const std::string& group) const {
  name_set result;
  name_set seen;
  std::vector<std::string> open{group};
  while (!open.empty()) {
    const std::string current = std::move(open.back());
    open.pop_back();
    if (!seen.add(current))
      continue;
    const auto& [machines, children] = groups_.at(current);
    for (const std::string& name : machines)
      result.add(name);
    open.insert(open.end(), children.rbegin(), children.rend());
  }
  return result.take();
}

std::vector<std::string> inventory::group_names() const {
  std::vector<std::string> result;
  for (const auto& [name, group] : groups_)
    result.push_back(name);
  return result;
}

const machine_details* inventory::find(const std::string& name) const {
  const auto found = machines_.find(name);
  return found == machines_.end() ? nullptr : &found->second;
}

tl::expected<machine, std::string> inventory::to_machine(const std::string& name,
                                                         machine from_name) const {
  machine result = std::move(from_name);
  result.id = name;
  if (const auto* details = find(name)) {
    if (!details->objection.empty())
      return tl::unexpected<std::string>{name + ": " + details->objection};
    if (!details->hostname.empty())
      result.hostname = details->hostname;
    if (!details->username.empty())
      result.username = details->username;
    if (!details->identity_file.empty())
      result.identity_file = details->identity_file;
    result.port = details->port.value_or(result.port);
  }
  if (result.hostname.empty())
    result.hostname = name;
  return result;
}

tl::expected<inventory, std::string> read_inventory(const std::string& path,
                                                    const inventory_limits& limits) {
  if (is_program(path)) {
    const auto output = run_for_output({path, "--list"}, limits.timeout, limits.max_size);
    if (output)
      return parse_inventory_json(*output, "the output of " + path, limits);
    if (!output.error().is_no_program)
      return tl::unexpected<std::string>{output.error().text};
  }
  const auto text = read_text_file(path, limits.max_size);
  if (!text)
    return tl::unexpected<std::string>{text.error()};
  return parse_any(*text, path, limits);
}

node_set_sources make_node_set_sources(std::map<std::string, std::string> groups,
                                       inventory machines) {
  const auto known
    = std::make_shared<const known_groups>(known_groups{std::move(groups), std::move(machines)});
  return {[known](const std::string& name) { return known->find(name); }, node_set_file};
}

} // namespace sshexec
