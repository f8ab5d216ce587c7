#include "sshexec/messages/executor_status.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const machine_status& x) {
  return std::tie(x.machine, x.state, x.running, x.waiting, x.open_channels, x.channel_limit,
                  x.succeeded, x.failed, x.latency, x.connected_since);
}

auto fields(const executor_status& x) {
  return std::tie(x.machines, x.requests, x.refused, x.latency);
}

} // namespace

std::string to_string(machine_state x) {
  switch (x) {
    case machine_state::disconnected:
      return "disconnected";
    case machine_state::connecting:
      return "connecting";
    case machine_state::backing_off:
      return "backing_off";
    case machine_state::connected:
      return "connected";
  }
  return "unknown machine state";
}

bool operator==(const machine_status& a, const machine_status& b) {
  return fields(a) == fields(b);
}

bool operator==(const executor_status& a, const executor_status& b) {
  return fields(a) == fields(b);
}

} // namespace sshexec
