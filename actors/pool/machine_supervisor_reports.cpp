#include "sshexec/actors/pool/machine_supervisor.hpp"

#include <caf/timestamp.hpp>

#include <algorithm>

namespace sshexec {

namespace {

machine_state to_state(machine_supervisor_state::link_state x) {
  using link_state = machine_supervisor_state::link_state;
  switch (x) {
    case link_state::disconnected:
      return machine_state::disconnected;
    case link_state::connecting:
      return machine_state::connecting;
    case link_state::backing_off:
      return machine_state::backing_off;
    case link_state::connected:
      return machine_state::connected;
  }
  return machine_state::disconnected;
}

} // namespace

void machine_supervisor_state::notify(pool_event_kind kind, error_code outcome,
                                      const std::string& detail) const {
  if (!activity.observers)
    return;
  pool_event event;
  event.kind = kind;
  event.time = caf::make_timestamp();
  event.machine = target;
  event.outcome = outcome;
  event.detail = detail;
  event.duration = now() - activity.link_since;
  event.attempt = failures;
  tell(activity.observers, event);
}

void machine_supervisor_state::notify(pool_event_kind kind, const execution& about,
                                      error_code outcome, const std::string& detail) const {
  if (!activity.observers)
    return;
  pool_event event;
  event.kind = kind;
  event.time = caf::make_timestamp();
  event.machine = target;
  event.command_id = about.command.id;
  event.command_line = about.command.line;
  event.outcome = outcome;
  event.detail = detail;
  event.duration = now() - about.received;
  event.attempt = about.attempts;
  tell(activity.observers, event);
}

machine_status machine_supervisor_state::status() const {
  machine_status result;
  result.machine = target;
  result.state = to_state(link);
  const auto on_channels
    = std::count_if(executions.begin(), executions.end(),
                    [](const auto& numbered) { return numbered.second.where != stage::waiting; });
  result.running = static_cast<std::uint32_t>(on_channels);
  result.waiting = static_cast<std::uint32_t>(executions.size()) - result.running;
  result.succeeded = activity.succeeded;
  result.failed = activity.failed;
  result.latency = activity.latency.percentiles();
  if (link == link_state::connected) {
    result.open_channels = slots.open();
    result.channel_limit = slots.limit();
    result.connected_since = activity.connected_at;
  }
  return result;
}

} // namespace sshexec
