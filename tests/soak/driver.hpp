#pragma once

#include "site.hpp"
#include "sshexec/messages/executor.hpp"
#include "tally.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace sshexec::soak {

using burst_atom = caf::atom_constant<caf::atom("burst")>;
using disturb_atom = caf::atom_constant<caf::atom("disturb")>;

/// Asks for one site's tasks, in bursts, disturbs the site all the time, and judges the answers.
struct driver_state {
  static inline const char* name = "soak.driver";

  explicit driver_state(caf::event_based_actor* self_ptr) : self(self_ptr) {}

  void send_burst();
  void send(const task& x);
  void answered(const task& x, const outcome& seen);
  void disturb();

  caf::event_based_actor* self;
  executor_actor executor;
  site* where = nullptr;
  tally* seen = nullptr;
  std::atomic<std::uint64_t>* answers = nullptr;
  dice random{""};
  std::uint64_t disturbances = 0;
  std::size_t sent = 0;
  std::size_t pending = 0;
};

/// Ends when all tasks were answered. `seen` is complete then; `answers` counts all the time.
caf::behavior driver(caf::stateful_actor<driver_state>* self, executor_actor executor, site* where,
                     tally* seen, std::atomic<std::uint64_t>* answers);

} // namespace sshexec::soak
