#pragma once

#include "sshexec/actors/fleet/node_set.hpp"
#include "sshexec/messages/machine.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sshexec {

/// What an inventory says of a machine; what it leaves out is empty.
struct machine_details {
  std::string hostname;
  std::optional<std::uint16_t> port;
  std::string username;
  std::string identity_file;
  /// Why it cannot be used: a value that only Ansible could work out ("{{ … }}"). Mostly empty.
  std::string objection;
};

/// Groups and their machines. Read once by one of the functions below, then a value.
class inventory {
public:
  /// The machines of a group and of the groups in it, as a node set (see `group_lookup`); those of
  /// all groups for "*" and "all". Nothing: there is no such group.
  [[nodiscard]] std::optional<std::string> group(const std::string& name) const;

  /// All groups in alphabetical order; for completion.
  [[nodiscard]] std::vector<std::string> group_names() const;

  /// All machines in the order in which they are first named.
  [[nodiscard]] const std::vector<std::string>& machine_names() const { return names_; }

  /// What it says of a machine, group variables included; nullptr if it does not know the name.
  [[nodiscard]] const machine_details* find(const std::string& name) const;

  /// The machine of that name: `id` is the name; what the inventory says prevails over
  /// `from_name`, which is what the name itself says (as of "user@host:port"). Without any
  /// hostname, this is the name. The error is the machine's `objection`.
  [[nodiscard]] tl::expected<machine, std::string> to_machine(const std::string& name,
                                                              machine from_name = {}) const;

private:
  friend class inventory_builder;

  struct group_members {
    std::vector<std::string> machines;
    std::vector<std::string> children;
  };

  /// Those of the groups in it, too; each once.
  [[nodiscard]] std::vector<std::string> members(const std::string& group) const;

  std::vector<std::string> names_;
  std::unordered_map<std::string, machine_details> machines_;
  std::map<std::string, group_members> groups_;
};

struct inventory_limits {
  /// For a program, from its start to the end of its output.
  std::chrono::milliseconds timeout = std::chrono::seconds{30};
  /// Bytes of a file, or of a program's output.
  std::size_t max_size = std::size_t{64} << 20;
  std::size_t max_machines = 100'000;
};

/// Reads an inventory, whatever it is: a program if it can be executed, which is run with `--list`
/// and without a shell, and prints Ansible's JSON; such JSON in a file or pipe; or a list as of
/// `parse_inventory`. Blocks until it is there, or the time is up: for the start of a tool, not for
/// an actor. The error is a sentence with path and line, or with what the program wrote to stderr.
tl::expected<inventory, std::string> read_inventory(const std::string& path,
                                                    const inventory_limits& limits = {});

/// Reads a plain list or Ansible's INI: a machine or node set a line, with `ansible_host`,
/// `ansible_port`, `ansible_user` and `ansible_ssh_private_key_file` behind it, other variables
/// ignored; '#' and ';' begin comments; `[group]`, `[group:children]` and `[group:vars]`. Ansible's
/// own ranges (`web-[01:20]`) are understood, too. The source is what errors call it.
tl::expected<inventory, std::string> parse_inventory(std::string_view text,
                                                     const std::string& source,
                                                     const inventory_limits& limits = {});

/// Reads what `ansible-inventory --list` and Ansible's inventory scripts print, `_meta.hostvars`
/// included.
tl::expected<inventory, std::string> parse_inventory_json(std::string_view text,
                                                          const std::string& source,
                                                          const inventory_limits& limits = {});

/// Groups of the settings (`sshexec.groups`, a node set each) before those of an inventory, with
/// `node_set_file` for files. "*" is all machines of both. Holds what it is given.
node_set_sources make_node_set_sources(std::map<std::string, std::string> groups,
                                       inventory machines = {});

} // namespace sshexec
