#pragma once

#include "sshexec/messages/pool_event.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>
#include <vector>

namespace sshexec {

/// Those who are told what happens in a pool, shared by its actors; null when there are none.
using observer_list = std::shared_ptr<const std::vector<observer_actor>>;

/// Sends the event to all of them, in nobody's name: an executor's inner actors are nobody's peers.
void tell(const observer_list& observers, const pool_event& event);

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::observer_list)
