#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/services/inner_services.hpp"

#include <caf/actor_addr.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace sshexec {

/// Lets few connect to a target at a time: a server drops what goes beyond (sshd's MaxStartups),
/// and may shut out an address that tries too hard (PerSourcePenalties).
struct connect_gate_state {
  static inline const char* name = "sshexec.connect_gate";

  /// Those who wait, by the numbers of their requests.
  using queue = std::map<std::uint64_t, reply<void>>;

  struct target {
    std::size_t admitted = 0;
    queue waiting;
  };

  struct visitor {
    std::string key;
    std::uint64_t number = 0;
  };

  explicit connect_gate_state(connect_gate_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<void> admit(std::string& key);
  void leave(const caf::actor_addr& who);
  void give_back(const caf::actor_addr& who);
  void let_in(target& to);

  connect_gate_actor::pointer self;
  std::size_t most = 0;
  std::uint64_t last_number = 0;
  /// Targets that somebody connects to.
  std::map<std::string, target> targets;
  /// Those who are admitted or wait; each is monitored.
  std::map<caf::actor_addr, visitor> visitors;
};

/// Admits so many actors for each key at a time, first come, first served. A place is given back by
/// `done_atom` or by its holder's end.
connect_gate_actor::behavior_type
connect_gate(connect_gate_actor::stateful_pointer<connect_gate_state> self, std::size_t most);

} // namespace sshexec
