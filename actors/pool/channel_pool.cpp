#include "sshexec/actors/pool/channel_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sshexec {

namespace {

/// A server may count a channel for a moment after its end, so one that refuses a channel while
/// none is open is asked again after this pause, but not for ever.
constexpr auto refusal_pause = std::chrono::milliseconds{100};
constexpr int max_lone_refusals = 4;

} // namespace

channel_pool::channel_pool(const rules& what) : rules_(what), slots_(what.most) {}

channel_pool::step channel_pool::next(time_point now, const demand& wanted) {
  deadline_.reset();
  if (pause_ && now < *pause_)
    return wanted.command || wanted.hunt ? wait_until(pause_) : step::wait;
  pause_.reset();
  if (wanted.hunt && has_room(false))
    return step::start_hunt;
  if (!wanted.command) {
    const bool opens = rules_.opens_spare && wanted.spare && spare_is_due_ && !has_spare_;
    return opens && slots_.free() > 0 ? step::open_spare : step::wait;
  }
  const bool keeps_one = wanted.tracked && slots_.limit() > 1;
  if (has_room(keeps_one))
    return step::start_command;
  if (left_.empty())
    return wait_until(std::nullopt);
  // While nothing runs, there is a way out that costs nothing but a connect, once the last one had
  // its time. Others that run cannot be given up, so each channel that had its time stops counting.
  const auto [first, last] = std::minmax_element(
    left_.begin(), left_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const time_point due = (wanted.running ? first : last)->second + rules_.patience;
  if (now < due)
    return wait_until(due);
  if (!wanted.running)
    return step::give_up_connection;
  write_off(now);
  return next(now, wanted);
}

bool channel_pool::has_room(bool keeps_one) const {
  return slots_.free() + (has_spare_ ? 1 : 0) > (keeps_one ? 1U : 0U);
}

channel_pool::step channel_pool::wait_until(std::optional<time_point> when) {
  deadline_ = when;
  return step::wait;
}

void channel_pool::write_off(time_point now) {
  for (auto i = left_.begin(); i != left_.end();) {
    if (now < i->second + rules_.patience) {
      ++i;
      continue;
    }
    slots_.give_back();
    written_off_.insert(i->first);
    i = left_.erase(i);
  }
}

bool channel_pool::take(bool is_in_doubt) {
  const bool takes_spare = has_spare_ && (!is_in_doubt || slots_.free() == 0);
  if (takes_spare) {
    has_spare_ = false;
    spare_is_due_ = true;
  } else {
    slots_.take();
  }
  return takes_spare;
}

void channel_pool::spare_requested() {
  spare_is_due_ = false;
  has_spare_ = true;
  slots_.take();
}

void channel_pool::exec_sent() {
  ++commands_sent_;
  lone_refusals_ = 0;
  slots_.served();
  spare_is_due_ = true;
}

void channel_pool::closed(ssh::exec_id id) {
  if (written_off_.erase(id) > 0)
    return;
  left_.erase(id);
  slots_.give_back();
}

bool channel_pool::refused(ssh::exec_id id, time_point now) {
  if (written_off_.erase(id) > 0)
    return true;
  left_.erase(id);
  if (!slots_.refused())
    return true;
  pause_ = now + refusal_pause;
  return ++lone_refusals_ < max_lone_refusals;
}

void channel_pool::spare_ended(bool was_refused) {
  // A command was given its place before this was known, and opened a channel of its own.
  if (!std::exchange(has_spare_, false))
    return;
  if (was_refused)
    slots_.refused();
  else
    slots_.give_back();
}

} // namespace sshexec
