#include "run_command.hpp"

#include "report.hpp"
#include "signal_watcher.hpp"
#include "tool_system.hpp"

namespace sshexec::app {

int run_command(const run_request& request) {
  signal_watcher signals;
  tool_system system{request.config};
  outcome ended{caf::sec::none};
  if (const auto& executor = system.executor()) {
    signals.start([&system] { system.shut_down(); });
    caf::scoped_actor self{*system};
    self->request(*executor, caf::infinite, execute_atom_v, request.target, request.what)
      .receive([&ended](command_result& result) { ended = std::move(result); },
               [&ended](caf::error& error) { ended = std::move(error); });
  } else {
    ended = executor.error();
  }
  const bool printed = request.json ? print_json(ended) : print_plain(ended);
  if (!printed) {
    complain("cannot write the output");
    return exit_error;
  }
  const int signal = signals.received();
  return signal != 0 && !ended ? 128 + signal : exit_code_of(ended);
}

} // namespace sshexec::app
