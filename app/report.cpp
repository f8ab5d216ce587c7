#include "sshexec/app/report.hpp"

#include "sshexec/actors/services/escape.hpp"
#include "sshexec/actors/services/json_bytes.hpp"
#include "sshexec/app/descriptors.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>

namespace sshexec::app {

namespace {

using json = nlohmann::ordered_json;

/// The number of a signal that RFC 4254 §6.10 names; 0 for another.
int signal_number(const std::string& name) {
  struct signal_name {
    const char* name;
    int number;
  };

  constexpr std::array<signal_name, 13> names{{{"ABRT", SIGABRT},
                                               {"ALRM", SIGALRM},
                                               {"FPE", SIGFPE},
                                               {"HUP", SIGHUP},
                                               {"ILL", SIGILL},
                                               {"INT", SIGINT},
                                               {"KILL", SIGKILL},
                                               {"PIPE", SIGPIPE},
                                               {"QUIT", SIGQUIT},
                                               {"SEGV", SIGSEGV},
                                               {"TERM", SIGTERM},
                                               {"USR1", SIGUSR1},
                                               {"USR2", SIGUSR2}}};
  for (const auto& known : names) {
    if (name == known.name)
      return known.number;
  }
  return 0;
}

double milliseconds(caf::timespan x) {
  return std::chrono::duration<double, std::milli>{x}.count();
}

void put_output(json& object, const command_output& output) {
  put_bytes(object, "stdout", output.stdout_data);
  put_bytes(object, "stderr", output.stderr_data);
  object["stdout_bytes"] = output.stdout_bytes;
  object["stderr_bytes"] = output.stderr_bytes;
  object["truncated"] = output.truncated();
}

void put_times(json& object, caf::timespan duration, const phase_times& times) {
  object["duration_ms"] = milliseconds(duration);
  object["timings"] = {{"queue_ms", milliseconds(times.queue)},
                       {"connect_ms", milliseconds(times.connect)},
                       {"run_ms", milliseconds(times.run)}};
}

json to_object(const command_result& x) {
  json object;
  object["exit_code"] = x.exit_signal.empty() ? json(x.exit_code) : json(nullptr);
  object["signal"] = x.exit_signal.empty() ? json(nullptr) : json(escape(x.exit_signal));
  put_output(object, x.output);
  put_times(object, x.duration, x.times);
  object["attempts"] = x.attempts;
  object["reused_connection"] = x.reused_connection;
  object["refused_environment"] = x.refused_environment;
  return object;
}

json to_object(const caf::error& x) {
  const failure what = to_failure(x);
  json error;
  const error_code code = code_of(x);
  error["code"] = code == error_code::none ? "internal_error" : to_string(code);
  error["message"] = is_utf8(what.message) ? what.message : escape(what.message);
  error["machine"] = is_utf8(what.machine) ? what.machine : escape(what.machine);
  error["fault"]
    = what.fault == connection_fault::none ? json(nullptr) : json(to_string(what.fault));
  error["progress"] = to_string(what.progress);
  error["termination"] = to_string(what.termination);
  json object;
  object["error"] = std::move(error);
  put_output(object, what.output);
  put_times(object, what.duration, what.times);
  object["attempts"] = what.attempts;
  return object;
}

/// What is known of the output, however the command ended.
command_output output_of(const outcome& x) {
  return x ? x->output : to_failure(x.error()).output;
}

std::string complaint(const std::string& text) {
  return "sshexec: " + escape_controls(text) + '\n';
}

void report_cut(const command_output& output, const std::string& why) {
  complain("the output was cut: stdout had " + std::to_string(output.stdout_bytes)
           + " bytes, stderr " + std::to_string(output.stderr_bytes) + ' ' + why);
}

} // namespace

int exit_code_of(const outcome& x) {
  if (!x)
    return is(x.error(), error_code::command_timeout) ? exit_timeout : exit_error;
  if (!x->exit_signal.empty()) {
    const int number = signal_number(x->exit_signal);
    return number != 0 ? exit_code_of_signal(number) : exit_error;
  }
  // The operating system keeps 8 bits: 256 would look like success.
  return x->exit_code >= 0 && x->exit_code <= 255 ? x->exit_code : exit_error;
}

std::error_code print_output(const outcome& x) {
  const command_output output = output_of(x);
  if (const auto error = write_all(STDOUT_FILENO, output.stdout_data))
    return error;
  if (const auto error = write_all(STDERR_FILENO, output.stderr_data))
    return error;
  if (output.truncated())
    report_cut(output, "(see --max-output)");
  return {};
}

void report_lost_output(const outcome& x, const output_account& written) {
  const command_output output = output_of(x);
  if (output.stdout_bytes > written.stdout_bytes || output.stderr_bytes > written.stderr_bytes)
    report_cut(output, "and was not read in time");
}

void print_end(const outcome& x, int signal, const std::string& advice) {
  const std::string cause
    = signal == 0 ? "" : std::string{"ended by SIG"} + ::sigabbrev_np(signal) + ": ";
  if (!x)
    return complain(cause + to_failure(x.error()).message
                    + (advice.empty() ? "" : " (" + advice + ")"));
  for (const std::string& name : x->refused_environment)
    complain("the server does not accept the environment variable " + name);
  if (!x->exit_signal.empty())
    complain("the command was ended by signal " + x->exit_signal);
}

std::error_code print_json(const outcome& x) {
  return write_all(STDOUT_FILENO, to_json(x) + '\n');
}

json to_json_object(const outcome& x) {
  return x ? to_object(*x) : to_object(x.error());
}

std::string to_json(const outcome& x) {
  const json object = to_json_object(x);
  // What the command wrote is UTF-8 or base64 by now; a variable's name may be anything.
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

void complain(const std::string& text) {
  write_all(STDERR_FILENO, complaint(text));
}

bool complain_at_once(const std::string& text) {
  static const stop_switch without_waiting = [] {
    stop_switch result;
    result.set();
    return result;
  }();
  return !write_all(STDERR_FILENO, complaint(text), without_waiting.descriptor());
}

int report_failed_input(const std::error_code& why) {
  complain("cannot read stdin: " + why.message());
  return exit_error;
}

int report_failed_output(const std::error_code& why, const std::string& where) {
  if (why == std::errc::broken_pipe)
    return exit_code_of_signal(SIGPIPE);
  complain("cannot write " + where + ": " + why.message());
  return exit_error;
}

} // namespace sshexec::app
