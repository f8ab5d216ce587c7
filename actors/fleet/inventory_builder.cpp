#include "sshexec/actors/fleet/inventory_builder.hpp"

#include "sshexec/actors/fleet/text_fault.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace sshexec {

namespace {

using failed = tl::unexpected<std::string>;

const std::string all_group = "all";

bool is_template(const std::string& value) {
  return value.find("{{") != std::string::npos;
}

std::optional<std::uint16_t> parse_port(const std::string& text) {
  std::uint16_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value == 0)
    return std::nullopt;
  return value;
}

} // namespace

struct connection_variables::keyword {
  const char* name;
  field meaning;
};

const connection_variables::keyword* connection_variables::find(std::string_view name) {
  // Those with "ssh" are Ansible's older names; all are in use.
  static constexpr std::array keywords{
    keyword{"ansible_host", host},     keyword{"ansible_port", port},
    keyword{"ansible_user", user},     keyword{"ansible_ssh_private_key_file", key},
    keyword{"ansible_ssh_host", host}, keyword{"ansible_ssh_port", port},
    keyword{"ansible_ssh_user", user}, keyword{"ansible_private_key_file", key},
  };
  const auto* found = std::find_if(keywords.begin(), keywords.end(),
                                   [&](const keyword& x) { return name == x.name; });
  return found == keywords.end() ? nullptr : found;
}

tl::expected<void, std::string> connection_variables::set(std::string_view name,
                                                          const std::string& value) {
  const auto* known = find(name);
  if (known == nullptr)
    return {};
  if (known->meaning == port && !is_template(value) && !parse_port(value))
    return failed{std::string{name} + " is a number from 1 to 65535, not " + quote(value)};
  values_[known->meaning] = value;
  return {};
}

void connection_variables::override_with(const connection_variables& other) {
  for (std::size_t i = 0; i < field_count; ++i)
    if (!other.values_[i].empty())
      values_[i] = other.values_[i];
}

bool connection_variables::is_empty() const {
  return std::all_of(values_.begin(), values_.end(),
                     [](const std::string& value) { return value.empty(); });
}

machine_details connection_variables::details() const {
  machine_details result{values_[host], parse_port(values_[port]), values_[user], values_[key], {}};
  const auto* unresolved = std::find_if(values_.begin(), values_.end(), is_template);
  if (unresolved != values_.end())
    result.objection = "only Ansible can work out " + quote(*unresolved);
  return result;
}

void inventory_builder::add_group(const std::string& name) {
  result_.groups_.try_emplace(name);
}

tl::expected<void, std::string> inventory_builder::add_machine(const std::string& group,
                                                               const std::string& name) {
  const auto meaning = expand_node_set(name);
  if (!meaning)
    return failed{meaning.error()};
  if (meaning->size() != 1 || meaning->front() != name)
    return failed{quote(name) + " cannot be the name of a machine"};
  if (variables_.try_emplace(name).second) {
    result_.names_.push_back(name);
    if (result_.names_.size() > max_machines_)
      return failed{"more than " + std::to_string(max_machines_) + " machines"};
  }
  result_.groups_[group].machines.push_back(name);
  return {};
}

void inventory_builder::add_child(const std::string& group, const std::string& child) {
  add_group(child);
  result_.groups_[group].children.push_back(child);
}

tl::expected<inventory, std::string> inventory_builder::finish() {
  // Each group behind all that contain it: a list of those whose parents are all in it.
  std::map<std::string, std::size_t> parents;
  std::map<std::string, std::size_t> depths;
  for (const auto& [name, group] : result_.groups_)
    for (const std::string& child : group.children)
      ++parents[child];
  std::vector<std::string> order;
  for (const auto& [name, group] : result_.groups_)
    if (!parents.contains(name))
      order.push_back(name);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::string name = order[i];
    for (const std::string& child : result_.groups_[name].children) {
      depths[child] = std::max(depths[child], depths[name] + 1);
      if (--parents[child] == 0)
        order.push_back(child);
    }
  }
  for (const auto& [name, left] : parents)
    if (left != 0)
      return failed{"group " + quote(name) + " contains itself, or is in one that does"};
  // As Ansible does: the deeper group's variables prevail, then those of the last one by name.
  std::sort(order.begin(), order.end());
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return std::pair{a != all_group, depths[a]} < std::pair{b != all_group, depths[b]};
  });
  apply_group_variables(order);
  return std::move(result_);
}

void inventory_builder::apply_group_variables(const std::vector<std::string>& order) {
  std::unordered_map<std::string, connection_variables> all;
  for (const std::string& group : order) {
    const auto found = group_variables_.find(group);
    if (found == group_variables_.end() || found->second.is_empty())
      continue;
    for (const std::string& name : group == all_group ? result_.names_ : result_.members(group))
      all[name].override_with(found->second);
  }
  for (const auto& [name, own] : variables_) {
    all[name].override_with(own);
    result_.machines_.emplace(name, all[name].details());
  }
}

} // namespace sshexec
