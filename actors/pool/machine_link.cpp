#include "sshexec/actors/pool/machine_link.hpp"

#include "sshexec/ssh/dialer.hpp"

#include <algorithm>
#include <utility>

namespace sshexec {

std::optional<time_point> machine_link::attempt::deadline() const {
  if (!expires || !next_address)
    return expires ? expires : next_address;
  return std::min(*expires, *next_address);
}

void machine_link::attempt::begin(time_point now, duration bound) {
  patience = bound;
  expires = now + bound;
}

void machine_link::attempt::try_next_address(time_point now) {
  if (!next_address || now < *next_address)
    return;
  next_address.reset();
  if (connection->try_next_address())
    next_address = now + ssh::address_delay;
}

time_point machine_link::established::deadline() const {
  return std::min(peer.deadline(), channels.deadline().value_or(peer.deadline()));
}

machine_link::attempt& machine_link::begin_attempt(time_point now, duration timeout) {
  enter(attempt{});
  since_ = now;
  auto& result = std::get<attempt>(state_);
  result.begin(now, timeout);
  return result;
}

machine_link::established& machine_link::establish(time_point now,
                                                   const channel_pool::rules& channels,
                                                   duration keepalive_interval, duration max_age) {
  auto& made = std::get<attempt>(state_);
  established next{std::move(made.connection), channel_pool{channels},
                   liveness{keepalive_interval, now}, std::chrono::system_clock::now()};
  next.was_made_outdated = made.is_outdated;
  if (max_age.count() > 0)
    next.grows_old = now + max_age;
  // Its number goes on, too: the connection's news are those of the attempt.
  state_ = std::move(next);
  since_ = now;
  return std::get<established>(state_);
}

ssh::connection* machine_link::connection() const {
  if (const auto* const x = get<attempt>())
    return x->connection.get();
  if (const auto* const x = get<established>())
    return x->connection.get();
  return nullptr;
}

bool machine_link::take_asked() {
  if (auto* const x = get<attempt>())
    return std::exchange(x->was_asked, false);
  if (auto* const x = get<established>())
    return std::exchange(x->was_asked, false);
  return false;
}

machine_state machine_link::state() const {
  if (is<attempt>())
    return machine_state::connecting;
  if (is<delay>())
    return machine_state::backing_off;
  return is<established>() ? machine_state::connected : machine_state::disconnected;
}

std::optional<time_point> machine_link::deadline() const {
  if (const auto* const x = get<attempt>())
    return x->deadline();
  if (const auto* const x = get<delay>())
    return x->until;
  if (const auto* const x = get<established>())
    return x->deadline();
  return std::nullopt;
}

} // namespace sshexec
