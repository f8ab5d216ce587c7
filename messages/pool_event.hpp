#pragma once

#include "sshexec/messages/error_code.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/optional.hpp>
#include <caf/replies_to.hpp>
#include <caf/timespan.hpp>
#include <caf/timestamp.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

/// What can happen in an executor's pool.
enum class pool_event_kind : std::uint8_t {
  /// An attempt to connect to the machine begins.
  connecting,
  /// The machine's connection is authenticated: commands can run.
  connected,
  /// An attempt to connect failed.
  connect_failed,
  /// A connection broke. One that broke before it carried a command counts as a failed attempt as
  /// well, and `connect_failed` follows.
  connection_lost,
  /// The executor closed a connection that it had no more use for.
  connection_closed,
  /// The machine was idle for too long and is forgotten until the next command.
  machine_retired,
  /// A command arrived at its machine's supervisor.
  command_received,
  /// A command is on its way to the machine, and may run from here on.
  command_started,
  /// A command's attempt failed, and another one follows.
  command_retried,
  /// A request was answered, whether with a result or with an error. Each is, exactly once.
  command_finished,
};

std::string to_string(pool_event_kind x);

/// Something that happened in an executor's pool.
struct pool_event {
  pool_event_kind kind = pool_event_kind::connecting;
  caf::timestamp time;
  sshexec::machine machine;
  /// The id of the request, given or made, and the command; empty for all but `command_` events.
  std::string command_id;
  std::string command_line;
  /// `none` where nothing failed; a command that ran to its end did not fail, whatever its exit
  /// status.
  error_code outcome = error_code::none;
  /// What failed and how, in words for people; empty where nothing failed.
  std::string detail;
  /// Of a command: since its receipt. Of an attempt to connect: since its beginning. Of a
  /// connection that ended: since it was made.
  caf::timespan duration{0};
  /// The command's attempt, or the number of attempts to connect that failed in a row.
  std::uint32_t attempt = 0;
  /// Of `command_finished`: the exit status, none if the command did not run to its end.
  caf::optional<std::int32_t> exit_code;
  /// The signal that ended the command, without "SIG"; empty otherwise.
  std::string exit_signal;
  /// Bytes that arrived of the command's output, kept or not.
  std::uint64_t stdout_bytes = 0;
  std::uint64_t stderr_bytes = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pool_event& x) {
  return f(caf::meta::type_name("pool_event"), x.kind, x.time, x.machine, x.command_id,
           x.command_line, x.outcome, x.detail, x.duration, x.attempt, x.exit_code, x.exit_signal,
           x.stdout_bytes, x.stderr_bytes);
}

bool operator==(const pool_event& a, const pool_event& b);

/// Is told what happens in a pool: for each machine in the order in which it happened. Nobody waits
/// for it, so one that is slower than the pool fills its own mailbox. It may run on a thread that
/// watches sockets: one that blocks is to be spawned with `caf::detached`.
using observer_actor = caf::typed_actor<caf::reacts_to<pool_event>>;

} // namespace sshexec
