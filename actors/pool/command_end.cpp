#include "sshexec/actors/pool/command_end.hpp"

#include <caf/deep_to_string.hpp>

#include <utility>

namespace sshexec {

command_end::command_end(setback reason, const rules& limits, time_point now)
  : reason_(std::move(reason)), limits_(limits), deadline_(now + limits.grace) {}

command_end::step command_end::look(time_point now) {
  if (now < deadline_)
    return step::wait;
  if (std::exchange(stage_, stage::killed) == stage::killed)
    return step::give_up;
  deadline_ = now + limits_.grace + (is_hunted_ ? limits_.patience : duration{0});
  return step::kill;
}

command_end::step command_end::hunt_ended(std::optional<ssh::kill_report> report) {
  is_hunted_ = false;
  report_ = std::move(report);
  if (outcome_)
    return step::conclude;
  return report_ && !report_->survivors.empty() ? step::give_up : step::wait;
}

command_end::step command_end::channel_ended(ssh::exec_outcome outcome) {
  outcome_ = std::move(outcome);
  return is_hunted_ ? step::wait : step::conclude;
}

termination command_end::termination_of(const ssh::exec_outcome& brought) const {
  if (report_)
    return report_->survivors.empty() ? termination::killed : termination::survivors;
  return outcome_ && brought.has_ended() ? termination::killed : termination::unknown;
}

command_end::conclusion command_end::conclude(const ssh::exec_outcome& brought) const {
  conclusion result{reason_, termination_of(brought), false};
  std::string& text = result.reason.text;
  if (result.termination == termination::killed) {
    text += "; the remote process was killed";
  } else if (result.termination == termination::survivors) {
    text += "; processes of it live on: " + caf::deep_to_string(report_->survivors);
  } else if (brought.has_ended()) {
    result.had_exited = true;
    text += "; it had exited, but its output had not ended";
  } else {
    text += "; whether the remote process ended is unknown";
  }
  return result;
}

} // namespace sshexec
