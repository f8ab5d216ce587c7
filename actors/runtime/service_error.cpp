#include "sshexec/actors/runtime/service_error.hpp"

#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/messages/failure.hpp"

namespace sshexec {

caf::error make_service_error(error_code code, std::string message) {
  failure what;
  what.message = std::move(message);
  return make_failure(code, std::move(what));
}

caf::error to_caf_error(const ssh::error& reason) {
  setback seen = to_setback(reason);
  failure what;
  what.message = std::move(seen.text);
  what.fault = seen.fault;
  return make_failure(seen.code, std::move(what));
}

} // namespace sshexec
