#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/error.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace sshexec {

using address_list = std::vector<ssh::address>;

/// Looks a name up; called from several threads at once, and free to block.
using look_up_function
  = std::function<ssh::result<address_list>(const std::string& host, std::uint16_t port)>;

/// Look-ups at the same time, so that a few names whose servers do not answer delay no other.
inline constexpr std::size_t default_max_look_ups = 16;

/// Resolves host names, each on a thread of its own, in the order of the requests.
struct resolver_state {
  static inline const char* name = "sshexec.resolver";

  struct job {
    std::string host;
    std::uint16_t port = 0;
    reply<address_list> answer;
  };

  explicit resolver_state(resolver_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<address_list> resolve(std::string& host, std::uint16_t port);
  void start_next();
  void finish(reply<address_list>& answer, caf::expected<address_list> outcome);

  resolver_actor::pointer self;
  look_up_function look_up;
  std::size_t max_look_ups = 0;
  std::size_t running = 0;
  std::deque<job> waiting;
};

/// To be spawned without a thread of its own. A numeric address is answered at once. When it ends,
/// open requests fail at once; a look-up under way cannot be broken off, so its thread goes on, and
/// the actor system waits for it: as long as name servers take to time out, at the most.
resolver_actor::behavior_type resolver(resolver_actor::stateful_pointer<resolver_state> self,
                                       look_up_function look_up = ssh::resolve,
                                       std::size_t max_look_ups = default_max_look_ups);

} // namespace sshexec
