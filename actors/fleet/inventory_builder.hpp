#pragma once

#include "sshexec/actors/fleet/inventory.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sshexec {

/// Ansible's variables of a machine or a group that mean something here; empty is not set.
class connection_variables {
public:
  /// Whether this is the name of one of them.
  static bool are_those(std::string_view name) { return find(name) != nullptr; }

  /// Takes a variable, or ignores one of another name. The error is a sentence.
  tl::expected<void, std::string> set(std::string_view name, const std::string& value);

  /// What the other one has set prevails.
  void override_with(const connection_variables& other);

  [[nodiscard]] bool is_empty() const;

  [[nodiscard]] machine_details details() const;

private:
  enum field : std::size_t { host, port, user, key, field_count };

  struct keyword;

  static const keyword* find(std::string_view name);

  std::array<std::string, field_count> values_;
};

/// Collects what an inventory says, in any order. The errors are sentences without a place.
class inventory_builder {
public:
  explicit inventory_builder(std::size_t max_machines) : max_machines_(max_machines) {}

  void add_group(const std::string& name);

  /// The name must be one as node sets write it; the machine becomes one of the group.
  tl::expected<void, std::string> add_machine(const std::string& group, const std::string& name);

  void add_child(const std::string& group, const std::string& child);

  [[nodiscard]] bool has_machine(const std::string& name) const {
    return variables_.contains(name);
  }

  connection_variables& variables_of_machine(const std::string& name) { return variables_[name]; }

  connection_variables& variables_of_group(const std::string& name) {
    return group_variables_[name];
  }

  /// The inventory. Fails when groups contain one another.
  tl::expected<inventory, std::string> finish();

private:
  void apply_group_variables(const std::vector<std::string>& order);

  std::size_t max_machines_;
  inventory result_;
  std::unordered_map<std::string, connection_variables> variables_;
  std::map<std::string, connection_variables> group_variables_;
};

} // namespace sshexec
