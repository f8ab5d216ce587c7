#include "sshexec/actors/pool/liveness.hpp"

namespace sshexec {

void liveness::heard(std::uint64_t bytes, time_point now) {
  if (bytes == bytes_)
    return;
  bytes_ = bytes;
  last_heard_ = now;
  silent_looks_ = 0;
}

liveness::verdict liveness::look(time_point now, bool is_read) {
  if (now < next_look_)
    return verdict::wait;
  if (!is_read) {
    last_heard_ = now;
    silent_looks_ = 0;
  }
  if (silence(now) < interval_)
    return wait_until(last_heard_ + interval_);
  if (++silent_looks_ == silent_intervals)
    return verdict::lost;
  next_look_ = now + interval_;
  return verdict::ask;
}

liveness::verdict liveness::wait_until(time_point next) {
  next_look_ = next;
  return verdict::wait;
}

} // namespace sshexec
