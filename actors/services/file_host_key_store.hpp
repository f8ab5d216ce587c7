#pragma once

#include "sshexec/actors/services/services.hpp"
#include "sshexec/ssh/known_hosts.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sshexec {

/// Keeps the record of host keys in OpenSSH's files.
struct file_host_key_store_state {
  static inline const char* name = "sshexec.file_host_key_store";

  ssh::result<ssh::known_keys> look_up(const std::string& host, std::uint16_t port);
  caf::result<ssh::host_key> remember(const std::string& host, std::uint16_t port,
                                      const ssh::host_key& key);

  void warn(const std::string& why);

  /// The first one is the user's, and the only one that is ever written to.
  std::vector<ssh::known_hosts_file> files;
  bool has_warned = false;
};

/// To be spawned detached: it blocks on files. An empty `known_hosts_file` stands for
/// ~/.ssh/known_hosts, next to which /etc/ssh/ssh_known_hosts is read. A key that cannot be
/// recorded is accepted nevertheless, as ssh(1) does, with a warning on stderr, the first time.
host_key_store::behavior_type
file_host_key_store(host_key_store::stateful_pointer<file_host_key_store_state> self,
                    const std::string& known_hosts_file);

} // namespace sshexec
