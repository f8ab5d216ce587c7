#pragma once

#include "sshexec/actors/services.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace sshexec {

/// Reads private keys from files and keeps them until their files change.
struct file_credential_store_state {
  static inline const char* name = "sshexec.file_credential_store";

  /// What came of reading a key, the failures included: deriving a key from a wrong passphrase
  /// again for each of many machines would take as long as from the right one.
  struct cached_key {
    std::optional<ssh::file_stamp> key_stamp;
    std::optional<ssh::file_stamp> passphrase_stamp;
    ssh::result<ssh::private_key> key;
  };

  ssh::result<ssh::private_keys> load(const machine& target);
  ssh::result<ssh::private_keys> load_default_keys();
  ssh::result<ssh::private_key> load_key(const std::filesystem::path& file);
  [[nodiscard]] ssh::result<ssh::private_key> read_key(const std::filesystem::path& file) const;

  std::string identity_file;
  std::filesystem::path passphrase_file;
  std::map<std::filesystem::path, cached_key> keys;
};

/// To be spawned detached: it blocks on files and on the derivation of keys from passphrases.
/// A machine's own identity file counts before `identity_file`, and that before the usual files in
/// ~/.ssh. `passphrase_file` holds the passphrase in its first line; empty: there is none.
credential_store::behavior_type
file_credential_store(credential_store::stateful_pointer<file_credential_store_state> self,
                      const std::string& identity_file, const std::string& passphrase_file);

} // namespace sshexec
