#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/app/output_writer.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/run/standard_input.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/replies_to.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <string>
#include <system_error>

namespace sshexec::app {

using run_atom = caf::atom_constant<caf::atom("run")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;

using run_session_actor = caf::typed_actor<
  /// Runs the command; answered when it has ended, and its output was written. To be sent once.
  caf::replies_to<run_atom>::with<command_result>,
  /// Ends the command, which is answered with `cancelled` then, and waits for nobody else.
  caf::reacts_to<stop_atom>>;

/// What became of stdin, stdout and stderr. To be looked at when the actor system is gone.
struct run_account {
  output_account output;
  /// Why stdin could not be read, if so.
  std::error_code input_error;
};

struct run_session_settings {
  executor_actor executor;
  machine target;
  command what;
  const standard_input* input = nullptr;
  /// Set by the session when it waits for nobody any more.
  const stop_switch* stop = nullptr;
  /// Whether the output is written as it comes, besides the result.
  bool streams = false;
  bool may_begin_anew = false;
  /// Called when the command is seen to run: it wrote output, or took input. May come again, and on
  /// any thread.
  std::function<void()> on_running;
};

/// The caller of one command: gives it stdin as it takes it, and writes its output as it comes.
struct run_session_state {
  static inline const char* name = "sshexec.run_session";

  explicit run_session_state(run_session_actor::pointer self_ptr) : self(self_ptr) {}

  caf::typed_response_promise<command_result> run();
  /// Reads the next bytes of stdin for the command, until their end or its own.
  void feed();
  void give(std::string data);
  void stop();
  /// Lets the last of the output be written before the caller is answered.
  void finish(outcome ended);
  void leave(outcome ended);

  run_session_actor::pointer self;
  run_session_settings settings;
  reply<command_result> answer;
  /// Only if the output is streamed.
  output_writer_actor writer;
  /// Only if the command's stdin is open.
  input_reader_actor reader;
};

run_session_actor::behavior_type
run_session(run_session_actor::stateful_pointer<run_session_state> self,
            run_session_settings settings, run_account* account);

} // namespace sshexec::app
