#include "sshexec/actors/pool/execution.hpp"

#include <utility>

namespace sshexec {

void execution::enter(phase next, time_point now) {
  const caf::timespan elapsed = now - phase_since;
  switch (current_phase) {
    case phase::queue:
      times.queue += elapsed;
      break;
    case phase::connect:
      times.connect += elapsed;
      break;
    case phase::run:
      times.run += elapsed;
      break;
  }
  current_phase = next;
  phase_since = now;
}

void execution::begin_attempt() {
  if (!std::exchange(attempting, true))
    ++attempts;
}

void execution::forget_attempt() {
  if (std::exchange(attempting, false))
    --attempts;
}

ssh::exec_request execution::request() const {
  ssh::exec_request result;
  result.command = command.line;
  result.environment = command.environment;
  if (command.pty)
    result.terminal.emplace(
      ssh::terminal_request{command.pty->type, command.pty->columns, command.pty->rows});
  result.stdin_data = command.stdin_data;
  result.stdin_open = command.stdin_open;
  result.max_output = *command.max_output;
  result.streamed = static_cast<bool>(command.output_to);
  if (command.tracked)
    result.tracked = token;
  return result;
}

command_output to_output(ssh::exec_outcome& outcome) {
  return {std::move(outcome.stdout_data),
          std::move(outcome.stderr_data),
          outcome.stdout_bytes,
          outcome.stderr_bytes,
          outcome.stdout_gap,
          outcome.stderr_gap};
}

} // namespace sshexec
