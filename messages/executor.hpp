#pragma once

#include "sshexec/messages/type_ids.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

/// What callers hold. Every request is answered exactly once: with the result of a command that ran
/// to its end, or with an error of category "sshexec" (`error_code`) that carries a `failure`. The
/// commands of a caller that ends are cancelled, unless they outlive it.
using executor_actor = caf::typed_actor<
  /// Runs a command on a machine, over the machine's pooled connection if there is one.
  caf::replies_to<execute_atom, machine, command>::with<command_result>,
  /// Takes back all of the sender's requests to this machine whose command has this id: those that
  /// wait are answered with `cancelled` at once, those that run once they were ended. The empty id
  /// means all that came without one.
  caf::reacts_to<cancel_atom, machine, std::string>,
  /// The same for the requests to any machine, whoever of the executor's process sent them.
  /// Requests that share the id are all meant; the empty one means none. Answered with how many
  /// were cancelled: one that ends already does not count. From another process this reaches the
  /// sender's own requests alone, over `connect_executor` those of the client's process, and
  /// without a sender none. The commands of a rollout have ids of their own.
  caf::replies_to<cancel_atom, std::string>::with<std::uint64_t>,
  /// More input for the sender's command with this id on this machine, and whether it is the end of
  /// it. At most `largest_data` at once. Answered when more may be sent; with `invalid_argument`
  /// when no such command takes input. The empty id means one that came without.
  caf::reacts_to<input_atom, machine, std::string, std::string, bool>,
  /// From now on, tells the observer what happens in the pool. It stays subscribed, and alive,
  /// until it unsubscribes or ends; one that is subscribed already stays so once.
  caf::reacts_to<subscribe_atom, observer_actor>, caf::reacts_to<unsubscribe_atom, observer_actor>,
  /// What the executor is doing. Each machine is shown as it was at some moment between the request
  /// and its answer.
  caf::replies_to<status_atom>::with<executor_status>,
  /// The credentials of this machine, or of all machines, changed. A connection that was made with
  /// the old ones takes no more commands; it is closed once those that run on it have ended, within
  /// their timeouts, and only then another one is made for the commands that wait.
  caf::reacts_to<changed_atom, machine>, caf::reacts_to<changed_atom>>;

/// Makes the messages known to an actor system: their types, and the text of their errors. To be
/// called once in the constructor of the system's configuration.
void register_messages(caf::actor_system_config& config);

} // namespace sshexec
