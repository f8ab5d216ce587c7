#include "sshexec/actors/pool/guests.hpp"

#include <iterator>

namespace sshexec {

namespace {

caf::error to_error(const setback& reason) {
  failure what;
  what.fault = reason.fault;
  what.message = reason.text;
  return make_failure(reason.code, std::move(what));
}

} // namespace

void guests::add(tunnel_request what, reply<tunnel> answer) {
  waiting_.emplace(++last_id_, guest{std::move(what), std::move(answer)});
}

void guests::forget_late(time_point now) {
  const setback too_late{error_code::connection_error, connection_fault::timed_out,
                         "it was not reached in time"};
  queue late;
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    const auto next = std::next(i);
    if (now >= i->second.what.give_up_at)
      late.insert(waiting_.extract(i));
    i = next;
  }
  fail_all(late, too_late);
}

std::optional<std::pair<ssh::forward_id, ssh::forward_request>> guests::open_next() {
  if (waiting_.empty())
    return std::nullopt;
  const auto next = opening_.insert(waiting_.extract(waiting_.begin())).position;
  return std::pair{next->first, next->second.what.to};
}

void guests::opened(ssh::forward_id id, tunnel stream) {
  auto ready = opening_.extract(id);
  if (!ready)
    return;
  open_.insert(id);
  ready.mapped().answer.deliver(std::move(stream));
}

void guests::refused(ssh::forward_id id, const setback& reason) {
  if (auto found = opening_.extract(id))
    found.mapped().answer.fail(to_error(reason));
}

void guests::attempt_failed(const setback& reason) {
  fail_all(waiting_, reason);
}

void guests::connection_lost(const setback& reason) {
  open_.clear();
  fail_all(opening_, reason);
}

void guests::shut_down(const setback& reason) {
  fail_all(waiting_, reason);
  fail_all(opening_, reason);
}

void guests::fail_all(queue& those, const setback& reason) {
  for (auto& [id, x] : std::exchange(those, {}))
    x.answer.fail(to_error(reason));
}

} // namespace sshexec
