#include "sshexec/actors/runtime/setback.hpp"

#include <caf/sec.hpp>

namespace sshexec {

namespace {

setback make_connection_setback(connection_fault fault, const std::string& text) {
  return {error_code::connection_error, fault, text};
}

} // namespace

bool setback::retriable() const {
  switch (fault) {
    case connection_fault::refused:
    case connection_fault::unreachable:
    case connection_fault::timed_out:
    case connection_fault::dropped:
      return true;
    case connection_fault::none:
    case connection_fault::name_not_found:
    case connection_fault::protocol:
      return false;
  }
  return false;
}

setback to_setback(const ssh::error& reason) {
  switch (reason.kind) {
    case ssh::error_kind::name_not_found:
      return make_connection_setback(connection_fault::name_not_found, reason.text);
    case ssh::error_kind::refused:
      return make_connection_setback(connection_fault::refused, reason.text);
    case ssh::error_kind::unreachable:
      return make_connection_setback(connection_fault::unreachable, reason.text);
    case ssh::error_kind::timed_out:
      return make_connection_setback(connection_fault::timed_out, reason.text);
    case ssh::error_kind::dropped:
      return make_connection_setback(connection_fault::dropped, reason.text);
    case ssh::error_kind::shortage:
      // The attempt that follows a pause may find what this one lacked.
      return make_connection_setback(connection_fault::unreachable, reason.text);
    case ssh::error_kind::protocol:
      return make_connection_setback(connection_fault::protocol, reason.text);
    case ssh::error_kind::forbidden:
      return {error_code::rejected, connection_fault::none, reason.text};
    case ssh::error_kind::authentication:
      return {error_code::authentication_error, connection_fault::none, reason.text};
    case ssh::error_kind::file:
      return {error_code::configuration_error, connection_fault::none, reason.text};
  }
  return make_connection_setback(connection_fault::protocol, reason.text);
}

setback to_setback(const caf::error& reason) {
  // A service that has ended may be another one by the next attempt.
  if (reason == caf::sec::request_receiver_down)
    return make_connection_setback(connection_fault::unreachable,
                                   "a service that this executor needs has ended");
  failure what = to_failure(reason);
  const bool ours = reason.category() == caf::atom("sshexec");
  const auto code = ours ? static_cast<error_code>(reason.code()) : error_code::configuration_error;
  return {code, what.fault, std::move(what.message)};
}

} // namespace sshexec
