#include "sshexec/messages/pool_event.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const pool_event& x) {
  return std::tie(x.kind, x.time, x.machine, x.command_id, x.command_line, x.outcome, x.detail,
                  x.duration, x.attempt, x.exit_code, x.exit_signal, x.stdout_bytes,
                  x.stderr_bytes);
}

} // namespace

std::string to_string(pool_event_kind x) {
  switch (x) {
    case pool_event_kind::connecting:
      return "connecting";
    case pool_event_kind::connected:
      return "connected";
    case pool_event_kind::connect_failed:
      return "connect_failed";
    case pool_event_kind::connection_lost:
      return "connection_lost";
    case pool_event_kind::connection_closed:
      return "connection_closed";
    case pool_event_kind::machine_retired:
      return "machine_retired";
    case pool_event_kind::command_received:
      return "command_received";
    case pool_event_kind::command_started:
      return "command_started";
    case pool_event_kind::command_retried:
      return "command_retried";
    case pool_event_kind::command_finished:
      return "command_finished";
  }
  return "unknown pool event";
}

bool operator==(const pool_event& a, const pool_event& b) {
  return fields(a) == fields(b);
}

} // namespace sshexec
