#include "sshexec/app/run/run_command.hpp"

#include "sshexec/app/report.hpp"
#include "sshexec/app/run/local_terminal.hpp"
#include "sshexec/app/run/retry_notice.hpp"
#include "sshexec/app/run/run_session.hpp"
#include "sshexec/app/signal_watcher.hpp"
#include "sshexec/app/tool_system.hpp"

#include <unistd.h>

#include <optional>
#include <system_error>
#include <utility>

namespace sshexec::app {

namespace {

struct ended_run {
  outcome ended{caf::sec::none};
  /// The signal that ended it, 0 for none.
  int signal = 0;
  run_account account;
};

/// Whoever sits before a terminal need not guess why nothing happens. A hub has its own delays.
bool tells_retries(const run_request& request) {
  return ::isatty(STDERR_FILENO) == 1 && !request.hub && request.what.retry != retry_policy::never;
}

ended_run execute(const run_request& request, const command& what, const standard_input& input) {
  ended_run result;
  // Before any other thread is made.
  stop_signals told;
  signal_watcher signals;
  const stop_switch stop;
  // Outlives the actors that hand it over.
  raw_terminal terminal{what.pty && request.feeds_stdin};
  tool_system system{request.config, request.hub, request.system};
  if (const auto& executor = system.executor()) {
    const bool streams = !request.json && !request.collects;
    caf::scoped_actor self{*system};
    const auto session = self->spawn(run_session,
                                     run_session_settings{*executor, request.target, what, &input,
                                                          &stop, streams, request.may_begin_anew,
                                                          [&terminal] { terminal.hand_over(); }},
                                     &result.account);
    if (tells_retries(request))
      tell_retries(*system, *executor, request.config.retry_delays);
    auto running = self->request(session, caf::infinite, run_atom::value);
    signals.start([&](int signal) {
      const auto meaning = told.of(signal);
      if (meaning == stop_signals::meaning::stop_at_once) {
        terminal.restore();
        ::_exit(exit_code_of_signal(signal));
      }
      if (meaning == stop_signals::meaning::stop)
        caf::anon_send(session, stop_atom::value);
    });
    running.receive([&](command_result& x) { result.ended = std::move(x); },
                    [&](caf::error& x) { result.ended = std::move(x); });
    terminal.restore();
    // The session must not go while a signal is on its way to it.
    signals.stop();
  } else {
    result.ended = executor.error();
  }
  result.signal = signals.received();
  // The end of all actors may take its time.
  signals.start([&told](int signal) {
    if (told.of(signal) != stop_signals::meaning::echo)
      ::_exit(exit_code_of_signal(signal));
  });
  return result;
}

/// The exit code for what kept the tool from passing on all of the input or output, if anything
/// did.
std::optional<int> report_trouble(const run_account& account, const run_request& request) {
  if (account.output.error)
    return report_failed_output(account.output.error);
  if (account.input_error)
    return report_failed_input(account.input_error);
  if (account.output.begun_anew && !request.may_begin_anew) {
    complain("the connection was lost behind a part of the output that had been printed already; "
             "the command was not run again (see --retry)");
    return exit_error;
  }
  return std::nullopt;
}

/// What the user can do about an error that comes of an option, or of one that was not given.
std::string advice_on(const outcome& ended, const run_request& request) {
  if (ended)
    return {};
  const failure what = to_failure(ended.error());
  const bool took_the_default = !request.what.timeout && !request.what.deadline;
  if (what.code == error_code::command_timeout && took_the_default)
    return request.hub ? "the hub's default; see -t" : "the default; see -t";
  const bool is_in_the_clear = request.hub && request.hub->plain;
  if (what.fault == connection_fault::protocol && is_in_the_clear)
    return "if the hub wants TLS, see --hub-cert";
  return {};
}

std::error_code print(const ended_run& run, const run_request& request) {
  if (request.json)
    return print_json(run.ended);
  if (request.collects) {
    if (const auto error = print_output(run.ended))
      return error;
  } else if (run.signal == 0) {
    report_lost_output(run.ended, run.account.output);
  }
  print_end(run.ended, run.signal, advice_on(run.ended, request));
  return {};
}

} // namespace

int run_command(const run_request& request) {
  const standard_input input;
  command what = request.what;
  if (request.feeds_stdin) {
    if (const auto error = input.feed(what))
      return report_failed_input(error);
  }
  const ended_run run = execute(request, what, input);
  // Signals act as ever from here on, whoever is slow to read what is printed.
  if (run.signal == 0) {
    if (const auto code = report_trouble(run.account, request))
      return *code;
  }
  if (const auto error = print(run, request))
    return report_failed_output(error);
  return run.signal != 0 && !run.ended ? exit_code_of_signal(run.signal) : exit_code_of(run.ended);
}

} // namespace sshexec::app
