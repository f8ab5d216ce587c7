#pragma once

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_proxy.hpp>

namespace sshexec {

/// Whether the sender of a message may end what `caller` asked for: any actor of this process may,
/// others only what they asked for themselves. A message without a sender may come from anywhere,
/// and ends nothing.
inline bool may_end(const caf::strong_actor_ptr& sender, const caf::actor_addr& caller) {
  if (sender == nullptr)
    return false;
  const bool is_here
    = dynamic_cast<const caf::actor_proxy*>(caf::actor_cast<caf::abstract_actor*>(sender))
      == nullptr;
  return is_here || caf::actor_cast<caf::actor_addr>(sender) == caller;
}

} // namespace sshexec
