#include "sshexec/actors/services/journal_line.hpp"

#include "sshexec/actors/services/escape.hpp"
#include "sshexec/actors/services/json_bytes.hpp"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace sshexec {

namespace {

/// ISO 8601, in UTC, with milliseconds.
std::string to_iso_string(caf::timestamp time) {
  using namespace std::chrono;
  const auto milliseconds_part = duration_cast<milliseconds>(time - floor<seconds>(time)).count();
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(system_clock::to_time_t(floor<seconds>(time))),
                     milliseconds_part);
}

std::string to_outcome(const execution_record& x) {
  return x.outcome == error_code::none ? "ok" : to_string(x.outcome);
}

double to_milliseconds(caf::timespan duration) {
  return std::chrono::duration<double, std::milli>{duration}.count();
}

/// How the remote command ended, for the one that did.
std::string to_exit_field(const execution_record& x) {
  if (x.outcome != error_code::none)
    return {};
  if (!x.exit_signal.empty())
    return fmt::format(" signal=\"{}\"", escape(x.exit_signal));
  return fmt::format(" exit={}", x.exit_code);
}

std::string to_message_field(const execution_record& x) {
  return x.message.empty() ? std::string{} : fmt::format(" message=\"{}\"", escape(x.message));
}

std::string to_text(const nlohmann::ordered_json& line) {
  // Characters beyond ASCII may end or garble a line on some screen.
  constexpr bool ascii_only = true;
  return line.dump(-1, ' ', ascii_only);
}

} // namespace

std::string to_plain_line(const execution_record& x) {
  return fmt::format("{} id=\"{}\" machine=\"{}\" outcome={}{} duration_ms={:.3f} attempts={} "
                     "reused={}{} request=\"{}\" command=\"{}\"",
                     to_iso_string(x.time), escape(x.machine.id), escape(to_address(x.machine)),
                     to_outcome(x), to_exit_field(x), to_milliseconds(x.duration), x.attempts,
                     x.reused_connection, to_message_field(x), escape(x.request_id),
                     escape(x.command_line));
}

std::string to_plain_line(const std::string& notice, caf::timestamp time) {
  return fmt::format("{} notice=\"{}\"", to_iso_string(time), escape(notice));
}

std::string to_json_line(const execution_record& x) {
  nlohmann::ordered_json line;
  line["time"] = to_iso_string(x.time);
  put_bytes(line, "id", x.machine.id);
  put_bytes(line, "machine", to_address(x.machine));
  line["outcome"] = to_outcome(x);
  line["duration_ms"] = to_milliseconds(x.duration);
  line["attempts"] = x.attempts;
  line["reused"] = x.reused_connection;
  if (x.outcome == error_code::none && x.exit_signal.empty())
    line["exit"] = x.exit_code;
  if (!x.exit_signal.empty())
    put_bytes(line, "signal", x.exit_signal);
  if (!x.message.empty())
    put_bytes(line, "message", x.message);
  put_bytes(line, "request", x.request_id);
  put_bytes(line, "command", x.command_line);
  return to_text(line);
}

std::string to_json_line(const std::string& notice, caf::timestamp time) {
  nlohmann::ordered_json line;
  line["time"] = to_iso_string(time);
  put_bytes(line, "notice", notice);
  return to_text(line);
}

} // namespace sshexec
