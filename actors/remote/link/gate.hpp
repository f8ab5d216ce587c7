#pragma once

#include "sshexec/messages/executor.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace sshexec {

using hello_atom = caf::atom_constant<caf::atom("hello")>;

/// What a hub publishes. It is the only part of the protocol that never changes, so that two
/// versions can tell each other what they are.
using gate_actor = caf::typed_actor<
  /// The client's version; answered with the hub's, and with the executor if they are the same.
  caf::replies_to<hello_atom, std::uint32_t>::with<std::uint32_t, caf::strong_actor_ptr>>;

/// Told of clients of another version.
using stranger_function = std::function<void(const std::string&)>;

/// Hands out the executor. Ends with it.
gate_actor::behavior_type gate(gate_actor::pointer self, const executor_actor& executor,
                               stranger_function on_stranger, std::uint32_t version);

} // namespace sshexec
