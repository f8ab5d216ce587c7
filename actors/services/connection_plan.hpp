#pragma once

#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/machine.hpp"
#include "sshexec/ssh/config/options.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

/// Which known_hosts files are asked about a machine.
struct known_hosts_choice {
  /// Its keys are recorded in the first one; none: nowhere.
  std::vector<std::string> of_user;
  std::vector<std::string> global;

  friend bool operator==(const known_hosts_choice&, const known_hosts_choice&) = default;
};

/// What is wished for a login, beside what the credential store says.
struct login_wishes {
  /// In place of the store's key files.
  std::optional<std::vector<std::string>> identity_files = {};
  /// The socket of an agent in place of the store's; empty: none.
  std::optional<std::string> agent = {};
  /// IdentitiesOnly: no keys but those of files.
  bool leaves_agents_out = false;

  friend bool operator==(const login_wishes&, const login_wishes&) = default;
};

/// A machine as it is connected to. Made of the machine as it was asked for, by whoever connects.
struct connection_plan {
  /// As it is shown: under the name by which it was asked for, with the user, the port and the
  /// jumps that count.
  machine target;
  /// The executor's, and what differs for this machine.
  settings config;

  /// Where to connect.
  std::string hostname;
  ssh::address_family family = ssh::address_family::any;
  /// A command line whose stdin and stdout are the stream to the machine.
  std::optional<std::string> proxy_command = {};

  /// Under which its host key is on record, and where if not in the executor's own store.
  std::string key_name;
  std::uint16_t key_port = 0;
  std::optional<known_hosts_choice> known_hosts = {};

  login_wishes login = {};
  /// For commands that say nothing else of these variables.
  std::map<std::string, std::string> environment = {};
};

/// Nothing but what the machine and the executor's settings say.
connection_plan make_plan(machine asked, settings config);

/// What OpenSSH's configuration says of the machine comes between the two. `way` are the jumps to
/// it.
connection_plan make_plan(machine asked, settings config, const ssh::ssh_options& said,
                          std::vector<jump> way);

} // namespace sshexec
