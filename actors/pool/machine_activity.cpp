#include "sshexec/actors/pool/machine_activity.hpp"

#include <caf/timestamp.hpp>

namespace sshexec {

void machine_activity::tell(pool_event_kind kind, duration lasted, std::uint32_t failures,
                            const setback* reason) const {
  if (!observers_)
    return;
  pool_event event;
  event.kind = kind;
  event.time = caf::make_timestamp();
  event.machine = machine_;
  if (reason != nullptr) {
    event.outcome = reason->code;
    event.detail = reason->text;
  }
  event.duration = lasted;
  event.attempt = failures;
  sshexec::tell(observers_, event);
}

void machine_activity::tell(pool_event_kind kind, const execution& about, time_point now,
                            error_code outcome, const std::string& detail) const {
  if (!observers_)
    return;
  pool_event event = make_event(kind, about, now);
  event.outcome = outcome;
  event.detail = detail;
  sshexec::tell(observers_, event);
}

void machine_activity::finished(const execution& about, time_point now,
                                const command_result& answer) {
  ++succeeded_;
  latency_.add(answer.duration);
  if (!observers_)
    return;
  pool_event event = make_event(pool_event_kind::command_finished, about, now);
  event.exit_code = answer.exit_code;
  event.exit_signal = answer.exit_signal;
  event.stdout_bytes = answer.output.stdout_bytes;
  event.stderr_bytes = answer.output.stderr_bytes;
  sshexec::tell(observers_, event);
}

void machine_activity::finished(const execution& about, time_point now, error_code code,
                                const failure& answer) {
  ++failed_;
  if (!observers_)
    return;
  pool_event event = make_event(pool_event_kind::command_finished, about, now);
  event.outcome = code;
  event.detail = answer.message;
  event.stdout_bytes = answer.output.stdout_bytes;
  event.stderr_bytes = answer.output.stderr_bytes;
  sshexec::tell(observers_, event);
}

pool_event machine_activity::make_event(pool_event_kind kind, const execution& about,
                                        time_point now) const {
  pool_event result;
  result.kind = kind;
  result.time = caf::make_timestamp();
  result.machine = machine_;
  result.command_id = about.command.id;
  result.command_line = about.command.line;
  result.duration = now - about.received;
  result.attempt = about.attempts;
  return result;
}

machine_status machine_activity::status() const {
  machine_status result;
  result.machine = machine_;
  result.succeeded = succeeded_;
  result.failed = failed_;
  result.latency = latency_.distribution().percentiles();
  return result;
}

} // namespace sshexec
