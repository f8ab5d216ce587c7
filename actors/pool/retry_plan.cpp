#include "sshexec/actors/pool/retry_plan.hpp"

#include <caf/deep_to_string.hpp>

#include <algorithm>
#include <cmath>
#include <random>

namespace sshexec {

retry_plan::retry_plan(const settings& config)
  : delays_(config.retry_delays),
    jitter_(config.retry_jitter),
    threshold_(config.breaker_threshold),
    pause_(config.breaker_pause),
    breaker_(threshold_, pause_) {}

void retry_plan::round_failed(const setback& reason, time_point now) {
  if (reason.code != error_code::connection_error
      && reason.code != error_code::authentication_error)
    return;
  last_failure_ = reason;
  was_password_refused_ = false;
  breaker_.round_failed(now);
}

void retry_plan::password_refused(const setback& reason, time_point now) {
  last_failure_ = reason;
  was_password_refused_ = true;
  breaker_.open(now);
}

void retry_plan::credentials_changed() {
  breaker_ = breaker{threshold_, pause_};
}

std::optional<setback> retry_plan::objection(time_point now) const {
  if (!breaker_.is_open(now))
    return std::nullopt;
  return setback{last_failure_.code, last_failure_.fault,
                 last_failure_.text
                   + (was_password_refused_
                        ? "; the password is not said again for "
                        : "; it failed again and again, so it is not tried for ")
                   + caf::deep_to_string(pause_)};
}

std::uint32_t retry_plan::allowed_attempts(retry_policy policy) const {
  const bool is_last = policy == retry_policy::never || breaker_.is_probing();
  return is_last ? 1 : 1 + static_cast<std::uint32_t>(delays_.size());
}

duration retry_plan::delay_after(std::uint32_t failed) const {
  if (delays_.empty())
    return duration{0};
  const auto last = delays_.size() - 1;
  const duration delay = delays_[std::min<std::size_t>(failed - 1, last)];
  if (jitter_ == 0)
    return delay;
  std::random_device random;
  const double share = std::uniform_real_distribution<>{0, jitter_}(random);
  return delay + duration{std::llround(static_cast<double>(delay.count()) * share)};
}

} // namespace sshexec
