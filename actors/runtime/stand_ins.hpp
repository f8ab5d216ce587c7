#pragma once

#include "sshexec/messages/executor.hpp"

#include <caf/typed_event_based_actor.hpp>

/// Who takes messages from other nodes on behalf of actors, of this node or of a third one. CAF's
/// networking may keep whom another node heard of, by a handle or as the sender of an answer, until
/// the system ends; and that waits for the threads of detached actors, as consumers and observers
/// may be, before.
namespace sshexec {

/// Stands in for the consumer of a command's output, until either it or `owner` ends.
output_consumer::behavior_type output_stand_in(output_consumer::pointer self,
                                               const output_consumer& consumer,
                                               const executor_actor& owner);

/// Stands in for an observer, until either it or `owner` ends.
observer_actor::behavior_type observer_stand_in(observer_actor::pointer self,
                                                const observer_actor& observer,
                                                const executor_actor& owner);

} // namespace sshexec
