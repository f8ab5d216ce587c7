#pragma once

#include "sshexec/app/descriptors.hpp"
#include "sshexec/messages/output_chunk.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <system_error>

namespace sshexec::app {

using flush_atom = caf::atom_constant<caf::atom("flush")>;

using output_writer_actor = output_consumer::extend<
  /// Answered when everything that came before was written.
  caf::reacts_to<flush_atom>>;

/// What became of a command's output.
struct output_account {
  /// Why it could not be written, if so.
  std::error_code error;
  /// It was left unfinished by a connection that was lost, and the command was run again.
  bool begun_anew = false;
  /// Bytes that were written of the latest attempt.
  std::uint64_t stdout_bytes = 0;
  std::uint64_t stderr_bytes = 0;
};

struct output_writer_settings {
  /// Ends waits for whoever reads stdout and stderr; what they do not take by then is dropped.
  const stop_switch* stop = nullptr;
  /// Whether the output may begin anew behind what was written of an earlier attempt.
  bool may_begin_anew = false;
  /// Called for each piece of output before it is written.
  std::function<void()> on_output;
  /// Called once when no more will be written because of what the account says.
  std::function<void()> on_failure;
};

/// Writes a command's output to stdout and stderr as it comes. To be spawned detached: it waits for
/// their readers. The account is its own until it has answered a flush.
output_writer_actor::behavior_type output_writer(output_writer_actor::pointer self,
                                                 output_writer_settings settings,
                                                 output_account* account);

} // namespace sshexec::app
