#include "driver.hpp"

#include "sshexec/messages/failure.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::soak {

namespace {

using std::chrono::milliseconds;

/// Mostly none; sometimes about as long as the executor keeps idle connections.
milliseconds random_pause(dice& random) {
  if (random.chance(80))
    return milliseconds{0};
  return milliseconds{random.chance(80) ? random.between(1, 10) : random.between(90, 130)};
}

/// A few commands, or so many that they wait for each other.
std::size_t random_burst(dice& random) {
  return random.between<std::size_t>(1, random.chance(50) ? 20 : 300);
}

} // namespace

void driver_state::send_burst() {
  const std::size_t left = where->tasks().size() - sent;
  for (std::size_t i = std::min(left, random_burst(random)); i > 0; --i)
    send(where->tasks()[sent++]);
  if (pending == 0)
    self->quit();
}

void driver_state::send(const task& x) {
  ++pending;
  self->request(executor, caf::infinite, execute_atom_v, where->address(), to_command(x))
    .then([this, &x](command_result& result) { answered(x, std::move(result)); },
          [this, &x](caf::error& error) { answered(x, std::move(error)); });
  if (x.cancelled_after)
    self->delayed_send(executor, *x.cancelled_after, cancel_atom_v, where->address(),
                       std::to_string(x.number));
}

void driver_state::answered(const task& x, const outcome& what) {
  ++*answers;
  ++seen->commands;
  if (what)
    ++seen->succeeded;
  else
    ++seen->failed[static_cast<error_code>(what.error().code())];
  seen->attempts += what ? what->attempts : to_failure(what.error()).attempts;
  const bool is_explained = !what && where->explains(what.error());
  if (auto complaint = objection(x, what, is_explained, where->runs(x)))
    seen->violations.push_back(where->name() + ", " + to_command(x).line + ": " + *complaint);
  if (--pending == 0)
    self->delayed_send(self, random_pause(random), burst_atom::value);
}

void driver_state::disturb() {
  where->disturb(++disturbances);
  self->delayed_send(self, milliseconds{random.between(10, 100)}, disturb_atom::value);
}

caf::behavior driver(caf::stateful_actor<driver_state>* self, executor_actor executor, site* where,
                     tally* seen, std::atomic<std::uint64_t>* answers) {
  auto& state = self->state;
  state.executor = std::move(executor);
  state.where = where;
  state.seen = seen;
  state.answers = answers;
  state.random = dice{where->name() + "/bursts"};
  state.disturb();
  state.send_burst();
  return {
    [self](burst_atom) { self->state.send_burst(); },
    [self](disturb_atom) { self->state.disturb(); },
  };
}

} // namespace sshexec::soak
