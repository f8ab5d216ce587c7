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

/// What a hunt saw is more than what a channel tells.
command_end::finding command_end::find(const ssh::exec_outcome& brought) const {
  if (report_ && !report_->survivors.empty())
    return {termination::survivors,
            "processes of it live on: " + caf::deep_to_string(report_->survivors), false};
  if (report_ && report_->looked_for_marks)
    return {termination::killed, "all of its processes are gone", false};
  if (!brought.has_ended())
    return {termination::unknown, "whether the remote process ended is unknown"};
  if (brought.signalled != ssh::signal_reach::nobody)
    return find_by_signals(brought);
  if (outcome_)
    return {termination::none, "it had exited by then", false};
  return {termination::unknown, "it had exited, but its output had not ended"};
}

/// Of one whose shell ended behind a signal.
command_end::finding command_end::find_by_signals(const ssh::exec_outcome& brought) const {
  if (brought.signalled == ssh::signal_reach::shell)
    return {termination::unknown,
            "its shell was sent a signal and ended, but this server signals nothing else: what the "
            "shell had started may live on"};
  if (!outcome_)
    return {termination::unknown,
            "it was sent a signal and its shell ended, but its output did not: a process of it may "
            "live on"};
  return {termination::signalled,
          "it was sent a signal and its shell ended; what left its process group may live on"};
}

command_end::conclusion command_end::conclude(const ssh::exec_outcome& brought) const {
  const finding found = find(brought);
  conclusion result{reason_, found.termination};
  result.had_exited = brought.has_ended() && brought.signalled == ssh::signal_reach::nobody;
  result.reason.text += "; " + found.text;
  if (found.calls_for_tracking && !limits_.is_tracked)
    result.reason.text += "; --tracked finds and kills what is left";
  return result;
}

} // namespace sshexec
