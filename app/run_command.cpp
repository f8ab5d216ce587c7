#include "run_command.hpp"

#include "report.hpp"
#include "signal_watcher.hpp"
#include "tool_system.hpp"

namespace sshexec::app {

namespace {

struct ended_request {
  outcome ended{caf::sec::none};
  /// The signal that ended it, 0 for none.
  int signal = 0;
};

ended_request execute(const run_request& request) {
  ended_request result;
  signal_watcher signals;
  tool_system system{request.config, request.hub};
  if (const auto& executor = system.executor()) {
    signals.start([&system] { system.shut_down(); });
    caf::scoped_actor self{*system};
    self->request(*executor, caf::infinite, execute_atom_v, request.target, request.what)
      .receive([&](command_result& x) { result.ended = std::move(x); },
               [&](caf::error& x) { result.ended = std::move(x); });
    // The system must not go while a signal is on its way to it.
    signals.stop();
  } else {
    result.ended = executor.error();
  }
  result.signal = signals.received();
  return result;
}

} // namespace

int run_command(const run_request& request) {
  // Signals act as ever while a slow reader holds up the output.
  const auto [ended, signal] = execute(request);
  const bool printed = request.json ? print_json(ended) : print_plain(ended);
  if (!printed) {
    complain("cannot write the output");
    return exit_error;
  }
  return signal != 0 && !ended ? 128 + signal : exit_code_of(ended);
}

} // namespace sshexec::app
