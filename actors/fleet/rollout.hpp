#pragma once

#include "sshexec/messages/executor.hpp"
#include "sshexec/messages/rollout.hpp"

#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

namespace sshexec {

using start_atom = caf::atom_constant<caf::atom("start")>;
using pause_atom = caf::atom_constant<caf::atom("pause")>;
using resume_atom = caf::atom_constant<caf::atom("resume")>;
inline constexpr auto start_atom_v = start_atom{};
inline constexpr auto pause_atom_v = pause_atom{};
inline constexpr auto resume_atom_v = resume_atom{};

/// Takes the outcome of each machine. Each comes as a request, and the machine counts as under way
/// until it is answered: a slow consumer slows the rollout instead of filling memory. One that ends
/// or answers with an error cancels the rollout.
using outcome_consumer = caf::typed_actor<caf::reacts_to<machine_outcome>>;

/// Is told how far a rollout is.
using progress_observer = caf::typed_actor<caf::reacts_to<rollout_progress>>;

using rollout_actor = caf::typed_actor<
  /// Begins, and is answered when each machine has its outcome and the consumer has all of them. To
  /// be sent once. When the sender ends, the rollout is cancelled.
  caf::replies_to<start_atom>::with<rollout_summary>,
  /// Starts no other machine until `resume`; what is under way goes on.
  caf::reacts_to<pause_atom>, caf::reacts_to<resume_atom>,
  /// Starts no other machine; if true, it also cancels what is under way.
  caf::reacts_to<cancel_atom, bool>, caf::replies_to<status_atom>::with<rollout_progress>,
  /// From its start on, tells this observer ten times a second how far it is, and once more at its
  /// end; until the observer ends.
  caf::reacts_to<subscribe_atom, progress_observer>>;

/// Makes a rollout over any executor: a pool, a hub's, or a router. It ends when it has answered,
/// or with its last handle when it was never started. When its executor ends, each machine gets the
/// outcome that is true of it. An exit message cancels it, what is under way included, and it
/// answers still; a second one ends it at once, with an error for an answer. May be called from any
/// thread. Without a consumer, the summary alone tells what became of the machines. Fails with
/// `invalid_argument` when the rollout makes no sense: no machine, no command, a window of 0, a
/// step of 0, a time below 0, an unknown % in a line to be expanded.
caf::expected<rollout_actor> spawn_rollout(caf::actor_system& system, executor_actor executor,
                                           rollout what, outcome_consumer outcomes_to);

} // namespace sshexec
