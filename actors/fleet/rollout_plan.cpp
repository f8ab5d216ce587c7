#include "sshexec/actors/fleet/rollout_plan.hpp"

#include <algorithm>

namespace sshexec {

rollout_plan::rollout_plan(const rollout& what, std::size_t all)
  : all_(all),
    at_once_(what.at_once),
    steps_(what.steps),
    pause_(what.pause),
    when_exceeded_(what.when_exceeded) {
  if (what.max_failures)
    max_failures_ = rounded_down(*what.max_failures, all);
  if (what.deadline)
    time_limit_ = *what.deadline;
}

void rollout_plan::begin(time_point now) {
  begun_ = true;
  next_step_at_ = now;
  if (time_limit_)
    ends_at_ = now + *time_limit_;
}

rollout_plan::verdict rollout_plan::next(time_point now) {
  if (!begun_)
    return verdict::wait;
  if (ends_at_ && now >= *ends_at_)
    stop(skip_reason::deadline, excess_rule::cancel);
  if (taken_ == all_)
    return busy_ == 0 ? verdict::done : verdict::wait;
  if (busy_ >= at_once_)
    return verdict::wait;
  if (stopped_ != skip_reason::none)
    return verdict::skip;
  if (paused_)
    return verdict::wait;
  if (is_step_over() && now >= next_step_at_)
    begin_step();
  return taken_ < step_end_ ? verdict::start : verdict::wait;
}

std::size_t rollout_plan::take() {
  ++busy_;
  return taken_++;
}

void rollout_plan::failed() {
  ++failures_;
  if (max_failures_ && failures_ > *max_failures_)
    stop(skip_reason::too_many_failures, when_exceeded_);
}

void rollout_plan::release(time_point now) {
  --busy_;
  if (is_step_over())
    next_step_at_ = now + pause_;
}

void rollout_plan::stop(skip_reason why, excess_rule running) {
  if (stopped_ == skip_reason::none)
    stopped_ = why;
  if (running == excess_rule::cancel && cancels_running_ == skip_reason::none)
    cancels_running_ = why;
}

std::optional<time_point> rollout_plan::deadline() const {
  std::optional<time_point> result;
  if (cancels_running_ == skip_reason::none)
    result = ends_at_;
  const bool step_waits = begun_ && !paused_ && stopped_ == skip_reason::none && is_step_over();
  if (step_waits && (!result || next_step_at_ < *result))
    result = next_step_at_;
  return result;
}

void rollout_plan::begin_step() {
  std::size_t size = all_;
  if (!steps_.empty())
    size = rounded_up(steps_[std::min<std::size_t>(step_, steps_.size() - 1)], all_);
  ++step_;
  step_end_ = std::min(taken_ + size, all_);
}

} // namespace sshexec
