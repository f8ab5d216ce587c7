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
  pool_event event;
  event.kind = kind;
  event.time = caf::make_timestamp();
  event.machine = machine_;
  event.command_id = about.command.id;
  event.command_line = about.command.line;
  event.outcome = outcome;
  event.detail = detail;
  event.duration = now - about.received;
  event.attempt = about.attempts;
  sshexec::tell(observers_, event);
}

machine_status machine_activity::status() const {
  machine_status result;
  result.machine = machine_;
  result.succeeded = succeeded_;
  result.failed = failed_;
  result.latency = latency_.percentiles();
  return result;
}

} // namespace sshexec
