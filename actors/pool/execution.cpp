#include "sshexec/actors/pool/execution.hpp"

#include <utility>

namespace sshexec {

execution::execution(sshexec::command what, caf::actor_addr sender, reply<command_result> promise,
                     time_point now)
  : command(std::move(what)),
    stdin_data(
      std::make_shared<const std::string>(std::exchange(command.stdin_data, std::string{}))),
    caller(std::move(sender)),
    answer(std::move(promise)),
    received(now),
    phase_since(now) {}

void execution::enter(phase next, time_point now) {
  const duration spent = now - phase_since;
  switch (current_phase) {
    case phase::queue:
      times.queue += spent;
      break;
    case phase::connect:
      times.connect += spent;
      break;
    case phase::run:
      times.run += spent;
      break;
  }
  current_phase = next;
  phase_since = now;
}

void execution::begin_attempt() {
  if (!std::exchange(attempting, true))
    ++attempts;
}

bool execution::forgive_attempt() {
  if (std::exchange(was_forgiven, true))
    return false;
  if (std::exchange(attempting, false))
    --attempts;
  return true;
}

ssh::exec_request execution::request() const {
  ssh::exec_request result;
  result.command = command.line;
  result.environment = command.environment;
  if (command.pty)
    result.terminal.emplace(
      ssh::terminal_request{command.pty->type, command.pty->columns, command.pty->rows});
  result.stdin_data = stdin_data;
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

command_result to_result(const execution& x, ssh::exec_outcome outcome) {
  command_result result;
  result.exit_code = outcome.exit_status ? static_cast<std::int32_t>(*outcome.exit_status) : -1;
  result.exit_signal = std::move(outcome.exit_signal);
  result.output = to_output(outcome);
  result.duration = x.elapsed();
  result.times = x.times;
  result.attempts = x.attempts;
  result.reused_connection = x.reused_connection;
  result.refused_environment = std::move(outcome.refused_environment);
  result.request_id = x.command.id;
  // What OpenSSH's configuration adds is offered to every server (ssh does not tell either).
  std::erase_if(result.refused_environment,
                [&x](const std::string& name) { return !x.command.environment.contains(name); });
  return result;
}

failure describe(const execution& x, const machine& target, const setback& reason) {
  std::string message;
  if (reason.fault != connection_fault::none)
    message += to_string(reason.fault) + ": ";
  message += reason.text;
  if (x.attempts > 1)
    message += " (after " + std::to_string(x.attempts) + " attempts)";
  failure result = about(target, std::move(message));
  result.request_id = x.command.id;
  result.fault = reason.fault;
  result.progress = x.progress;
  result.attempts = x.attempts;
  return result;
}

execution_record to_record(const execution& x, const machine& target) {
  execution_record record;
  record.time = x.received_at;
  record.machine = target;
  record.request_id = x.command.id;
  record.command_line = x.command.line;
  record.duration = x.elapsed();
  record.attempts = x.attempts;
  record.reused_connection = x.reused_connection;
  return record;
}

} // namespace sshexec
