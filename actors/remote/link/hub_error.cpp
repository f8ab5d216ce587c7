#include "sshexec/actors/remote/link/hub_error.hpp"

#include <caf/atom.hpp>
#include <caf/sec.hpp>

#include <utility>

namespace sshexec {

caf::error as_own_error(const std::string& hub, const machine& target, caf::error reason) {
  if (reason.category() == caf::atom("sshexec"))
    return reason;
  failure what;
  if (!target.hostname.empty())
    what.machine = to_address(target);
  // The request was never taken out of the executor's mailbox.
  if (reason == caf::sec::request_receiver_down) {
    what.message = "Hub " + hub + ": its executor has ended";
    return make_failure(error_code::shutting_down, std::move(what));
  }
  what.message = "Hub " + hub + ": " + to_string(reason);
  what.fault = connection_fault::protocol;
  what.progress = progress::may_have_run;
  return make_failure(error_code::connection_error, std::move(what));
}

} // namespace sshexec
