#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/system_thread.hpp"
#include "sshexec/actors/runtime/ticker.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/services/credentials.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/actors/services/kept_keys.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/login.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace sshexec {

struct key_ring_settings {
  /// Whoever asked waits no longer than this.
  caf::timespan patience = std::chrono::seconds{10};
  /// How long a derived key that came too late waits for whoever asks next: longer than the usual
  /// delays between two attempts.
  caf::timespan hold = std::chrono::minutes{1};
  /// More than there are cores on a small machine, so that quick ones get their turn beside slow
  /// ones.
  std::size_t max_derivations = 8;
  thread_starter start = start_thread;
};

using deriving_key_ring_actor = key_ring_actor::extend<
  /// The derivation of this number has ended.
  caf::reacts_to<done_atom, std::uint64_t, kept_keys::outcome>,
  /// A key's time to be claimed is over.
  caf::reacts_to<tick_atom>>;

/// Turns what a credential store answers with into keys that can be used. A key with a passphrase
/// is derived on a thread of its own, once for all who wait for it, and never for those who gave
/// up. One that comes too late for them is kept for whoever asks next.
struct key_ring_state {
  using outcome = kept_keys::outcome;

  static inline const char* name = "sshexec.key_ring";

  /// One who asked for a machine's keys.
  struct question {
    time_point asked_at;
    reply<ssh::login> answer;
    credentials found = {};
    /// What the machine's configuration does not want, and why; for people.
    std::string left_out = {};
    /// What came of each source; of an agent, nothing.
    std::vector<outcome> keys = {};
    /// Those that are still being derived.
    std::size_t underived = 0;
  };

  struct waiter {
    std::shared_ptr<question> asker;
    /// Of the source, and of what comes of it.
    std::size_t index = 0;
  };

  struct derivation {
    source_mark where;
    credential source;
    std::function<outcome()> derive;
    std::vector<waiter> waiters;
    /// Credentials have changed since: it is for those alone who wait already.
    bool is_outdated = false;
  };

  explicit key_ring_state(deriving_key_ring_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<ssh::login> load(const machine& target, login_wishes wishes);
  void read(const std::shared_ptr<question>& asker);
  template <class Source>
  void read_source(const waiter& who, const Source& source);
  /// Null: none is open.
  derivation* derivation_of(const source_mark& where);

  void start_next();
  [[nodiscard]] bool is_wanted(const derivation& x) const;
  /// Takes the derivation over unless there is no thread for it.
  bool start(derivation& x);
  void finish(std::uint64_t number, outcome& made);
  void settle(const derivation& ended, const outcome& made);

  [[nodiscard]] bool has_given_up(const question& x) const;
  void answer(question& x);
  static ssh::result<ssh::login> to_login(const question& x);
  void forget_all();

  deriving_key_ring_actor::pointer self;
  credential_store store;
  key_ring_settings settings;
  kept_keys keys;
  std::deque<derivation> waiting;
  std::map<std::uint64_t, derivation> running;
  std::uint64_t last_number = 0;
};

/// To be spawned detached: it blocks on files. Asks `store` for each machine that connects.
/// Machines that connect together share a key; when the last of them has authenticated, libssh
/// wipes it, and the ring has let go of what it was made from. When the ring ends, open requests
/// fail at once; derivations under way cannot be broken off, and the actor system waits for them.
deriving_key_ring_actor::behavior_type
key_ring(deriving_key_ring_actor::stateful_pointer<key_ring_state> self, credential_store store,
         key_ring_settings settings);

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::kept_keys::outcome)
