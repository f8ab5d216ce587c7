#pragma once

#include "sshexec/actors/credentials.hpp"
#include "sshexec/actors/services.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"
#include "sshexec/ssh/login.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace sshexec {

/// How long a key is kept in memory after it was last asked for. Long enough for machines that
/// connect together to share the work of reading it, and for the retries after them.
inline constexpr caf::timespan default_key_retention = std::chrono::minutes{1};

/// Turns what a credential store answers with into keys that can be used.
struct key_ring_state {
  using time_point = caf::actor_clock::time_point;

  static inline const char* name = "sshexec.key_ring";

  /// What came of reading a key, the failures included: deriving a key from a wrong passphrase
  /// again for each of many machines would take as long as from the right one.
  struct kept_key {
    std::optional<ssh::file_stamp> key_stamp;
    std::optional<ssh::file_stamp> passphrase_stamp;
    ssh::result<ssh::private_key> key;
    time_point last_use;
  };

  explicit key_ring_state(key_ring_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<ssh::login> load(const machine& target);
  ssh::result<ssh::login> read(const credentials& found);
  ssh::result<ssh::private_key> key_of(const key_in_memory& source);
  ssh::result<ssh::private_key> key_of(const key_file& source);
  const ssh::result<ssh::private_key>& keep(const credential& source, kept_key key);
  void forget_unused();
  void forget_later();

  key_ring_actor::pointer self;
  credential_store store;
  caf::timespan retention{0};
  std::map<credential, kept_key> keys;
  /// A message to forget is under way.
  bool will_forget = false;
};

/// To be spawned detached: it blocks on files and on the derivation of keys from passphrases. Asks
/// `store` for each machine that connects, and keeps the keys that came of it for a while; libssh
/// wipes a key when neither the ring nor a connection that authenticates holds it any more.
key_ring_actor::behavior_type key_ring(key_ring_actor::stateful_pointer<key_ring_state> self,
                                       credential_store store,
                                       caf::timespan retention = default_key_retention);

} // namespace sshexec
