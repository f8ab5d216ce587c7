#include "sshexec/app/rollout/run_rollout.hpp"

#include "sshexec/actors/fleet/rollout.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/rollout/preparation.hpp"
#include "sshexec/app/rollout/rollout_output.hpp"
#include "sshexec/app/rollout/rollout_printer.hpp"
#include "sshexec/app/rollout/stop_steps.hpp"
#include "sshexec/app/signal_watcher.hpp"
#include "sshexec/app/tool_system.hpp"

#include <unistd.h>

#include <utility>

namespace sshexec::app {

namespace {

struct ended_rollout {
  caf::expected<rollout_summary> summary{caf::sec::none};
  /// The signal that the tool got first, 0 for none.
  int signal = 0;
};

/// Those who work on a rollout while it runs.
struct crew {
  rollout_actor rollout;
  rollout_printer_actor printer;
  rollout_watch_actor watch;
};

caf::expected<crew> start(caf::scoped_actor& self, const executor_actor& executor,
                          const rollout_request& request, rollout_output& output) {
  crew result;
  result.printer = self->spawn<caf::detached>(rollout_printer, &output);
  rollout what = request.what;
  if (request.form == output_form::lines || request.output_directory)
    what.command.output_to = result.printer;
  auto made = spawn_rollout(self->system(), executor, std::move(what), result.printer);
  if (!made) {
    self->send_exit(result.printer, caf::exit_reason::user_shutdown);
    return made.error();
  }
  result.rollout = *made;
  result.watch = self->spawn(rollout_watch, result.rollout, result.printer);
  return result;
}

[[noreturn]] void end_at_once(int signal, const rollout_output& output) {
  output.leave_terminal();
  ::_exit(exit_code_of_signal(signal));
}

void obey(stop_steps::meaning meaning, int signal, const crew& all, const rollout_output& output,
          const stop_switch& stop) {
  switch (meaning) {
    case stop_steps::meaning::start_no_more:
      caf::anon_send(all.rollout, cancel_atom_v, false);
      caf::anon_send(all.watch, left_atom::value);
      break;
    case stop_steps::meaning::cancel:
      // Whoever is slow to read must not keep what runs from being ended.
      stop.set();
      caf::anon_send(all.rollout, cancel_atom_v, true);
      break;
    case stop_steps::meaning::end_at_once:
      end_at_once(signal, output);
    case stop_steps::meaning::echo:
      break;
  }
}

caf::expected<rollout_summary> wait_for_end(caf::scoped_actor& self, const crew& all) {
  caf::expected<rollout_summary> result{caf::sec::none};
  self->request(all.rollout, caf::infinite, start_atom_v)
    .receive([&](rollout_summary& x) { result = std::move(x); },
             [&](caf::error& x) { result = std::move(x); });
  const auto ignore = [](const caf::error&) {};
  self->request(all.printer, caf::infinite, flush_atom::value).receive([] {}, ignore);
  return result;
}

ended_rollout execute(const rollout_request& request, rollout_output& output,
                      const stop_switch& stop) {
  ended_rollout result;
  // Before any other thread is made.
  stop_steps told;
  signal_watcher signals;
  tool_system system{request.config, request.hub, request.system};
  if (!system.executor()) {
    result.summary = system.executor().error();
    return result;
  }
  caf::scoped_actor self{*system};
  const auto all = start(self, *system.executor(), request, output);
  if (!all) {
    result.summary = all.error();
    return result;
  }
  output.on_failure([rollout = all->rollout] { caf::anon_send(rollout, cancel_atom_v, true); });
  if (output.wants_progress())
    self->send(all->rollout, subscribe_atom_v, progress_observer{all->printer});
  signals.start([&](int signal) { obey(told.of(signal), signal, *all, output, stop); },
                [&] { caf::anon_send(all->watch, who_atom::value); });
  result.summary = wait_for_end(self, *all);
  // Those who work must not go while a signal is on its way to them.
  signals.stop();
  output.on_failure({});
  self->send_exit(all->watch, caf::exit_reason::user_shutdown);
  self->send_exit(all->printer, caf::exit_reason::user_shutdown);
  result.signal = signals.received();
  // The end of all actors may take its time.
  signals.start([&told, &output](int signal) {
    if (told.of(signal) != stop_steps::meaning::echo)
      end_at_once(signal, output);
  });
  return result;
}

int run(const rollout_request& request) {
  const stop_switch stop;
  rollout_output output{request, manners_of(request), screen{stop}};
  const ended_rollout ended = execute(request, output, stop);
  if (!ended.summary) {
    complain(to_failure(ended.summary.error()).message);
    return exit_error;
  }
  output.finish(*ended.summary);
  if (output.error())
    return report_failed_output(output.error(), output.failed_place());
  return output.account().exit_code({.signal = ended.signal,
                                     .wants_largest = request.wants_largest,
                                     .output_was_cut = output.was_cut()});
}

} // namespace

int run_rollout(rollout_request request) {
  for (const std::string& remark : request.remarks)
    complain(remark);
  if (request.what.machines.empty()) {
    complain("no machine has to be run again");
    return 0;
  }
  if (request.is_dry_run) {
    const auto error = write_all(STDOUT_FILENO, list_of_steps(request.what));
    return error ? report_failed_output(error) : 0;
  }
  if (request.asks && request.what.machines.size() > 1) {
    if (const auto consent = ask_for_consent(request.what); !consent) {
      complain(consent.error());
      return exit_error;
    }
  }
  if (request.feeds_stdin) {
    auto input = read_all_input();
    if (!input) {
      complain(input.error());
      return exit_error;
    }
    request.what.command.stdin_data = std::move(*input);
  }
  return run(request);
}

} // namespace sshexec::app
