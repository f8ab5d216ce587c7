#pragma once

#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/known_hosts.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sshexec {

/// Keeps the record of host keys in OpenSSH's files.
struct file_host_key_store_state {
  static inline const char* name = "sshexec.file_host_key_store";

  ssh::result<ssh::known_keys> look_up(const std::string& host, std::uint16_t port,
                                       const known_hosts_choice& where);
  caf::result<ssh::host_key> remember(const std::string& host, std::uint16_t port,
                                      const ssh::host_key& key, const known_hosts_choice& where);

  ssh::result<ssh::known_keys> find(const std::string& host, std::uint16_t port,
                                    const known_hosts_choice& where);
  ssh::known_hosts_file& open(const std::string& path);
  void warn(const std::string& why);

  /// Where keys are if nobody says otherwise.
  known_hosts_choice usual;
  /// Those that were asked, by path; forgotten when they are too many.
  std::map<std::string, ssh::known_hosts_file> files;
  bool has_warned = false;
};

/// To be spawned detached: it blocks on files. An empty `known_hosts_file` stands for
/// ~/.ssh/known_hosts, next to which /etc/ssh/ssh_known_hosts is read. A key that cannot be
/// recorded is accepted nevertheless, as ssh(1) does, with a warning on stderr, the first time.
host_key_files_actor::behavior_type
file_host_key_store(host_key_files_actor::stateful_pointer<file_host_key_store_state> self,
                    const std::string& known_hosts_file);

} // namespace sshexec
