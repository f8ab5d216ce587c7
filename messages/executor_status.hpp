#pragma once

#include "sshexec/messages/latency_distribution.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/optional.hpp>
#include <caf/timespan.hpp>
#include <caf/timestamp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sshexec {

/// How an executor stands to a machine.
enum class machine_state : std::uint8_t {
  /// No connection, and none wanted.
  disconnected,
  /// An attempt to connect is under way.
  connecting,
  /// The last attempt failed, and the next one waits for the end of its delay.
  backing_off,
  /// Commands can run.
  connected,
};

std::string to_string(machine_state x);

/// One machine at one moment. The counts begin with the machine's first command after it was
/// retired or was never used.
struct machine_status {
  sshexec::machine machine;
  machine_state state = machine_state::disconnected;
  /// Commands on a channel.
  std::uint32_t running = 0;
  /// Commands that wait for a connection, a channel or a retry.
  std::uint32_t waiting = 0;
  /// Channels that count against the limit; some may be left of commands that were given up.
  std::uint32_t open_channels = 0;
  /// Channels that the server is believed to allow; 0 when it is not connected.
  std::uint32_t channel_limit = 0;
  /// Commands that ran to their end, whatever their exit status.
  std::uint64_t succeeded = 0;
  /// Commands that were answered with an error.
  std::uint64_t failed = 0;
  /// Of those that ran to their end, over about the last ten thousand.
  latency_percentiles latency;
  /// None when it is not connected.
  caf::optional<caf::timestamp> connected_since;
};

/// What an executor is doing.
struct executor_status {
  /// Every machine that had commands lately: until it is retired.
  std::vector<machine_status> machines;
  /// Requests to run a command, ever.
  std::uint64_t requests = 0;
  /// Those among them that reached no machine, because they made no sense or came too late.
  std::uint64_t refused = 0;
  /// How long the commands took that ran to their end, over all of these machines: of each, about
  /// the last ten thousand.
  latency_distribution latency;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, machine_status& x) {
  return f(caf::meta::type_name("machine_status"), x.machine, x.state, x.running, x.waiting,
           x.open_channels, x.channel_limit, x.succeeded, x.failed, x.latency, x.connected_since);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, executor_status& x) {
  return f(caf::meta::type_name("executor_status"), x.machines, x.requests, x.refused, x.latency);
}

bool operator==(const machine_status& a, const machine_status& b);
bool operator==(const executor_status& a, const executor_status& b);

} // namespace sshexec
