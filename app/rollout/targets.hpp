#pragma once

#include "sshexec/actors/fleet/inventory.hpp"
#include "sshexec/app/target.hpp"

#include <tl/expected.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// Whether a target names a set of machines, or a group, and not just one machine.
bool is_set(const std::string& target);

/// Who is meant, as far as the command line says it.
struct wanted_machines {
  /// A node set each.
  std::vector<std::string> targets;
  std::vector<std::string> excluded;
  /// Plain names, instead of targets: those of an earlier run.
  std::optional<std::vector<std::string>> names;
  std::map<std::string, std::string> groups;
  inventory known;
  /// The machine of a name, but for what the inventory says of it.
  std::function<tl::expected<machine, std::string>(const std::string& name)> parse
    = [](const std::string& name) { return parse_target(name); };
};

/// The machines that are meant, in order. Each has its name for an id. The error is a sentence for
/// the user.
tl::expected<std::vector<machine>, std::string> find_machines(const wanted_machines& wanted);

/// Names of machines that are those of groups, too, and of no machine of the inventory: "all",
/// where "@all" may have been meant.
std::vector<std::string> names_of_groups(const std::vector<machine>& machines,
                                         const wanted_machines& wanted);

} // namespace sshexec::app
