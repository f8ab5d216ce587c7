#pragma once

#include "sshexec/actors/fleet/rollout.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sshexec::test {

/// A rollout that was run to its end in real time.
struct rolled_out {
  /// By the places of their machines.
  std::map<std::uint64_t, machine_outcome> outcomes;
  /// Whether a machine had more than one.
  bool told_twice = false;
  rollout_summary summary;
};

/// Runs one. `seen` is called with each outcome, on a thread of the system, with how many there are
/// by then.
inline rolled_out run_rollout(
  caf::actor_system& system, const executor_actor& executor, rollout what,
  const std::function<void(const rollout_actor&, std::size_t)>& seen
  = [](const rollout_actor&, std::size_t) {}) {
  const auto result = std::make_shared<rolled_out>();
  const auto subject = std::make_shared<rollout_actor>();
  const outcome_consumer consumer{system.spawn(
    [result, subject, seen](outcome_consumer::pointer) -> outcome_consumer::behavior_type {
      return {[result, subject, seen](machine_outcome& x) {
        const auto place = x.index;
        if (!result->outcomes.emplace(place, std::move(x)).second)
          result->told_twice = true;
        seen(*subject, result->outcomes.size());
      }};
    })};
  auto made = spawn_rollout(system, executor, std::move(what), consumer);
  if (!made)
    throw std::runtime_error(system.render(made.error()));
  *subject = std::move(*made);
  caf::scoped_actor self{system};
  self->request(*subject, caf::infinite, start_atom_v)
    .receive([&](rollout_summary& x) { result->summary = std::move(x); },
             [&](const caf::error& reason) { throw std::runtime_error(system.render(reason)); });
  self->send_exit(consumer, caf::exit_reason::user_shutdown);
  self->wait_for(consumer);
  return std::move(*result);
}

} // namespace sshexec::test
