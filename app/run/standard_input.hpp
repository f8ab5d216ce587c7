#pragma once

#include "sshexec/app/descriptors.hpp"
#include "sshexec/messages/command.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>
#include <system_error>

namespace sshexec::app {

/// The tool's stdin, read piece by piece as a command takes it.
class standard_input {
public:
  standard_input();

  /// Whether it may be read at all: it may be open for writing only, and a terminal stops (SIGTTIN)
  /// those who read it from the background.
  [[nodiscard]] static bool is_ours();

  /// Waits for the next bytes; none at the end. The error is `std::errc::operation_canceled` when
  /// `stop` was set first.
  [[nodiscard]] tl::expected<std::string, std::error_code> read(const stop_switch& stop) const;

  /// Gives a command what can be read without waiting. If that is all, the command's stdin is not
  /// left open, so that it can be run again when its connection is lost.
  [[nodiscard]] std::error_code feed(command& what) const;

private:
  [[nodiscard]] int descriptor() const { return own_ ? own_.get() : STDIN_FILENO; }

  ssh::file_descriptor own_;
};

using read_atom = caf::atom_constant<caf::atom("read")>;

using input_reader_actor = caf::typed_actor<
  /// The next bytes of stdin as soon as there are any; none at its end.
  caf::replies_to<read_atom>::with<std::string>>;

/// To be spawned detached: it waits for whoever writes to stdin. An error is kept in `error` before
/// it is answered.
input_reader_actor::behavior_type input_reader(input_reader_actor::pointer self,
                                               const standard_input* input, const stop_switch* stop,
                                               std::error_code* error);

} // namespace sshexec::app
