#pragma once

#include "sshexec/actors/pool/guests.hpp"
#include "sshexec/actors/pool/observers.hpp"
#include "sshexec/actors/runtime/ticker.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

using ready_atom = caf::atom_constant<caf::atom("ready")>;
using drive_atom = caf::atom_constant<caf::atom("drive")>;
using expired_atom = caf::atom_constant<caf::atom("expired")>;
using make_room_atom = caf::atom_constant<caf::atom("makeroom")>;
using forward_atom = caf::atom_constant<caf::atom("forward")>;
using observers_atom = caf::atom_constant<caf::atom("observers")>;

/// Who wants which commands ended.
struct cancel_order {
  std::string id;
  caf::strong_actor_ptr by;
};

using supervisor_actor = caf::typed_actor<
  /// As of the executor.
  caf::replies_to<execute_atom, machine, command>::with<command_result>,
  caf::reacts_to<cancel_atom, machine, std::string>,
  caf::replies_to<cancel_atom, cancel_order>::with<std::uint64_t>,
  caf::reacts_to<input_atom, machine, std::string, std::string, bool>,
  /// With what the latency of all machines is made of.
  caf::replies_to<status_atom>::with<machine_status, latency_distribution>,
  /// The machine is a jump: a stream through its connection is wanted.
  caf::replies_to<forward_atom, tunnel_request>::with<tunnel>,
  /// The machine's credentials changed.
  caf::reacts_to<changed_atom>,
  /// Descriptors are short: expires now if it has no commands.
  caf::reacts_to<make_room_atom>,
  /// From now on these are told what happens.
  caf::reacts_to<observers_atom, observer_list>,
  /// The socket of the connection with this number can be read or written.
  caf::reacts_to<ready_atom, std::uint64_t>,
  /// To itself: all commands that had arrived have been handled.
  caf::reacts_to<drive_atom>,
  /// A deadline may have passed.
  caf::reacts_to<tick_atom>>;

using registry_actor = executor_actor::extend<
  /// A stream through this machine is wanted. No other process can ask for it: the request has no
  /// form on the wire.
  caf::replies_to<forward_atom, machine, tunnel_request>::with<tunnel>,
  /// A machine's supervisor, having received so many commands, has been idle for the idle timeout
  /// and has closed its connection.
  caf::reacts_to<expired_atom, machine, bool, std::uint64_t>,
  /// Descriptors are short.
  caf::reacts_to<make_room_atom>>;

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::cancel_order)
