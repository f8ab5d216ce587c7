#pragma once

#include "sshexec/actors/fleet/rollout.hpp"
#include "sshexec/app/output_writer.hpp"
#include "sshexec/app/rollout/rollout_output.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace sshexec::app {

/// How many run, and how many will never start.
using left_atom = caf::atom_constant<caf::atom("left")>;
/// Who is still running.
using who_atom = caf::atom_constant<caf::atom("who")>;

using rollout_printer_actor = output_consumer::extend<
  caf::reacts_to<machine_outcome>,
  /// Draws the progress.
  caf::reacts_to<rollout_progress>,
  /// Tells something of it.
  caf::reacts_to<left_atom, rollout_progress>, caf::reacts_to<who_atom, rollout_progress>,
  /// Answered when everything that came before was written; nothing will be any more.
  caf::reacts_to<flush_atom>>;

/// To be spawned detached. The output is its own until it has answered a flush.
rollout_printer_actor::behavior_type rollout_printer(rollout_printer_actor::pointer self,
                                                     rollout_output* output);

using rollout_watch_actor = caf::typed_actor<
  /// Asks the rollout, and has the printer tell.
  caf::reacts_to<left_atom>, caf::reacts_to<who_atom>>;

/// Asks a rollout how far it is, for its printer.
rollout_watch_actor::behavior_type rollout_watch(rollout_watch_actor::pointer self,
                                                 rollout_actor of, rollout_printer_actor printer);

} // namespace sshexec::app
