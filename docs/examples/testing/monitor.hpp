#pragma once

#include <sshexec/messages/executor.hpp>

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <chrono>
#include <cstdint>
#include <string>

/// A part of a hub, as an example of something to test: it looks after one machine over SSH.
namespace hub {

/// Checks the machine, and answers what is wrong; with an empty string if nothing is.
using check_atom = caf::atom_constant<caf::atom("check")>;
inline constexpr auto check_atom_v = check_atom{};
/// Answers how many of the regular checks have found something wrong (std::uint64_t).
using alarms_atom = caf::atom_constant<caf::atom("alarms")>;
inline constexpr auto alarms_atom_v = alarms_atom{};

constexpr std::chrono::minutes check_interval{1};

struct monitor_state {
  static inline const char* name = "hub.monitor";

  sshexec::executor_actor executor;
  sshexec::machine target;
  std::uint64_t alarms = 0;
};

/// Checks its machine at once and every minute. Ends with an exit message.
caf::behavior monitor(caf::stateful_actor<monitor_state>* self,
                      const sshexec::executor_actor& executor, const sshexec::machine& target);

} // namespace hub
