#include "sshexec/actors/remote/link/hub_error.hpp"

#include <caf/atom.hpp>
#include <caf/sec.hpp>

#include <utility>

namespace sshexec {

caf::error as_own_error(const std::string& hub, caf::error reason) {
  if (reason.category() == caf::atom("sshexec"))
    return reason;
  // The request was never taken out of the executor's mailbox.
  if (reason == caf::sec::request_receiver_down)
    return make_failure(error_code::shutting_down,
                        hub_failure(hub, connection_fault::none, "its executor has ended"));
  failure what = hub_failure(hub, connection_fault::protocol, to_string(reason));
  what.progress = progress::may_have_run;
  return make_failure(error_code::connection_error, std::move(what));
}

} // namespace sshexec
