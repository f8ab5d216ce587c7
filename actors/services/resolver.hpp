#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/system_thread.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/error.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

using address_list = std::vector<ssh::address>;

/// Looks a name up; called from several threads at once, and free to block.
using look_up_function
  = std::function<ssh::result<address_list>(const std::string& host, std::uint16_t port)>;

struct resolver_settings {
  look_up_function look_up = ssh::resolve;
  /// Look-ups at the same time, so that names whose servers do not answer delay no other: of each
  /// there are a few, as long as name servers take to time out.
  std::size_t max_look_ups = 64;
  /// Whoever asked waits no longer than this.
  caf::timespan patience = std::chrono::seconds{10};
  thread_starter start = start_thread;
};

using look_up_resolver_actor = resolver_actor::extend<
  /// A name's look-up has ended.
  caf::reacts_to<done_atom, std::string, address_list>,
  caf::reacts_to<done_atom, std::string, caf::error>>;

/// Resolves host names, each on a thread of its own, in the order in which they were first asked
/// for. All who wait for a name share one look-up, and none is begun for those who gave up. Who
/// asks for a name whose look-up has lasted half of `patience` gets another one beside it, which
/// may have more luck.
struct resolver_state {
  static inline const char* name = "sshexec.resolver";

  using time_point = caf::actor_clock::time_point;

  struct question {
    std::uint16_t port = 0;
    time_point asked_at;
    reply<address_list> answer;
  };

  /// A name that somebody waits for.
  struct wanted_name {
    std::vector<question> questions;
    /// When its latest look-up began; none while it waits for one.
    std::optional<time_point> begun_at;
  };

  explicit resolver_state(look_up_resolver_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<address_list> resolve(std::string& host, std::uint16_t port);
  void start_next(time_point now);
  /// Answers those who gave up; whether somebody is left.
  bool is_wanted(const std::string& host, time_point now);
  /// False when there is no thread for it.
  bool start_look_up(const std::string& host);
  void finish(const std::string& host, caf::expected<address_list> outcome);
  void answer(const std::string& host, const caf::expected<address_list>& outcome);

  look_up_resolver_actor::pointer self;
  resolver_settings settings;
  std::size_t running = 0;
  /// Those that run for each name.
  std::map<std::string, std::size_t> running_for;
  std::map<std::string, wanted_name> open;
  std::deque<std::string> waiting;
};

/// To be spawned without a thread of its own. A numeric address is answered at once. When it ends,
/// open requests fail at once; a look-up under way cannot be broken off, so its thread goes on, and
/// the actor system waits for it: as long as name servers take to time out, at the most.
look_up_resolver_actor::behavior_type
resolver(look_up_resolver_actor::stateful_pointer<resolver_state> self, resolver_settings settings);

} // namespace sshexec
