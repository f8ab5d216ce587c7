#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// Files that a command line names.
struct named_files {
  std::optional<std::string> config;
  std::optional<std::string> inventory;
  std::optional<std::string> known_hosts;
};

/// Names that a user may mean, each once, in alphabetical order.
struct known_names {
  std::vector<std::string> machines;
  std::vector<std::string> groups;
};

/// The groups of the settings, the groups and machines of the inventory, and the hosts whose keys
/// are on record. A file that cannot be read adds nothing, and an inventory that is a program gets
/// a second.
known_names find_known_names(const named_files& files);

/// The names of a known_hosts file that stand for one machine, neither hashed nor patterns, as
/// targets: "host", "host:port", "[2001:db8::1]:22".
std::vector<std::string> names_of_known_hosts(std::istream& lines);

} // namespace sshexec::app
