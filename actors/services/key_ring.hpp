#pragma once

#include "sshexec/actors/services/credentials.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"
#include "sshexec/ssh/login.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/ssh/secret.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

/// Turns what a credential store answers with into keys that can be used.
struct key_ring_state {
  using time_point = caf::actor_clock::time_point;

  static inline const char* name = "sshexec.key_ring";

  /// Where a key comes from, without what is secret of it.
  struct source_mark {
    explicit source_mark(const key_in_memory& x);
    explicit source_mark(const key_file& x);

    /// For people.
    [[nodiscard]] std::string name() const;

    [[nodiscard]] bool is(const key_in_memory& x) const;
    [[nodiscard]] bool is(const key_file& x) const;

    /// Whether nobody holds its secrets any more.
    [[nodiscard]] bool expired() const { return text.expired() || passphrase.expired(); }

    /// None: the key is in memory.
    std::optional<std::string> path;
    std::string passphrase_file;
    ssh::weak_secret text;
    ssh::weak_secret passphrase;
  };

  /// What came of reading a key, the failures included, unless they say nothing of the key:
  /// deriving a key from a wrong passphrase again for each of many machines would take as long as
  /// from the right one. No secret lives longer for it: a key is there as long as a connection that
  /// authenticates holds it, a failure as long as the store holds the secrets that led to it.
  struct kept_key {
    source_mark source;
    std::optional<ssh::file_stamp> key_stamp;
    std::optional<ssh::file_stamp> passphrase_stamp;
    std::weak_ptr<ssh::private_key::element_type> key;
    std::optional<ssh::error> failure;

    [[nodiscard]] bool expired() const { return failure ? source.expired() : key.expired(); }

    /// Nothing when the key is gone, which may happen at any moment.
    [[nodiscard]] std::optional<ssh::result<ssh::private_key>> get() const;
  };

  explicit key_ring_state(key_ring_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<ssh::login> load(const machine& target);
  ssh::result<ssh::login> read(const credentials& found);
  ssh::result<ssh::private_key> key_of(const key_in_memory& source);
  ssh::result<ssh::private_key> key_of(const key_file& source);
  template <class Source>
  ssh::result<ssh::private_key> keep(const Source& source, kept_key where,
                                     ssh::result<ssh::private_key> key);

  key_ring_actor::pointer self;
  credential_store store;
  std::vector<kept_key> keys;
};

/// To be spawned detached: it blocks on files and on the derivation of keys from passphrases. Asks
/// `store` for each machine that connects. Machines that connect together share a key; when the
/// last of them has authenticated, libssh wipes it, and the ring has let go of what it was made
/// from.
key_ring_actor::behavior_type key_ring(key_ring_actor::stateful_pointer<key_ring_state> self,
                                       credential_store store);

} // namespace sshexec
