#include "sshexec/actors/pool/observers.hpp"

#include "sshexec/messages/type_ids.hpp"

#include <caf/send.hpp>

namespace sshexec {

void tell(const observer_list& observers, const pool_event& event) {
  if (!observers)
    return;
  for (const observer_actor& observer : *observers)
    caf::anon_send(observer, event);
}

} // namespace sshexec
