#pragma once

#include "sshexec/actors/services/services.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>

namespace sshexec {

/// Names the key files that an executor uses by default.
struct file_credential_store_state {
  static inline const char* name = "sshexec.file_credential_store";

  [[nodiscard]] credentials load(const machine& target) const;

  std::string identity_file;
  std::string passphrase_file;
  std::string identity_agent;
  login_password password;
};

/// A machine's own identity file counts before `identity_file`, and that before the usual files in
/// ~/.ssh. `passphrase_file` holds the passphrase in its first line; empty: there is none.
/// `identity_agent` is the socket of an agent whose keys are offered as well, or "SSH_AUTH_SOCK"
/// for the one that this variable names (as IdentityAgent in ssh_config(5)); empty: there is none.
/// `password` is for all machines; one with neither text nor file: there is none.
credential_store::behavior_type
file_credential_store(credential_store::stateful_pointer<file_credential_store_state> self,
                      std::string identity_file, std::string passphrase_file,
                      std::string identity_agent = {}, login_password password = {});

} // namespace sshexec
