#include "sshexec/messages/failure.hpp"

#include "sshexec/messages/type_ids.hpp"

#include <caf/sec.hpp>

#include <tuple>
#include <utility>

namespace sshexec {

namespace {

auto fields(const failure& x) {
  return std::tie(x.code, x.message, x.machine, x.request_id, x.fault, x.progress, x.termination,
                  x.attempts, x.output, x.times, x.duration);
}

} // namespace

std::string to_string(error_code x) {
  switch (x) {
    case error_code::none:
      return "none";
    case error_code::invalid_argument:
      return "invalid_argument";
    case error_code::configuration_error:
      return "configuration_error";
    case error_code::authentication_error:
      return "authentication_error";
    case error_code::connection_error:
      return "connection_error";
    case error_code::host_key_error:
      return "host_key_error";
    case error_code::command_timeout:
      return "command_timeout";
    case error_code::cancelled:
      return "cancelled";
    case error_code::overloaded:
      return "overloaded";
    case error_code::rejected:
      return "rejected";
    case error_code::shutting_down:
      return "shutting_down";
  }
  return "unknown error code";
}

std::string to_string(progress x) {
  switch (x) {
    case progress::not_started:
      return "not started";
    case progress::may_have_run:
      return "may have run";
    case progress::finished:
      return "finished";
  }
  return "unknown progress";
}

std::string to_string(connection_fault x) {
  switch (x) {
    case connection_fault::none:
      return "none";
    case connection_fault::name_not_found:
      return "name not found";
    case connection_fault::refused:
      return "refused";
    case connection_fault::unreachable:
      return "unreachable";
    case connection_fault::timed_out:
      return "timed out";
    case connection_fault::dropped:
      return "dropped";
    case connection_fault::protocol:
      return "protocol";
  }
  return "unknown connection fault";
}

std::string to_string(termination x) {
  switch (x) {
    case termination::none:
      return "none";
    case termination::killed:
      return "killed";
    case termination::signalled:
      return "signalled";
    case termination::survivors:
      return "survivors";
    case termination::unknown:
      return "unknown";
  }
  return "unknown termination";
}

bool operator==(const failure& a, const failure& b) {
  return fields(a) == fields(b);
}

caf::error make_failure(error_code code, failure what) {
  what.code = code;
  return caf::make_error(code, std::move(what));
}

failure about(const machine& target, failure what) {
  if (!what.machine.empty())
    return what;
  what.machine = to_address(target);
  what.message = what.machine + ": " + what.message;
  return what;
}

failure about(const machine& target, std::string message) {
  failure what;
  what.message = std::move(message);
  return about(target, std::move(what));
}

caf::error about(const machine& target, caf::error reason) {
  const error_code code = code_of(reason);
  const bool has_failure = code != error_code::none && reason.context().match_elements<failure>();
  // It may hold much output, which is not copied without need.
  if (code == error_code::none
      || (has_failure && !reason.context().get_as<failure>(0).machine.empty()))
    return reason;
  return make_failure(code, about(target, to_failure(reason)));
}

failure to_failure(const caf::error& err) {
  if (err && err.context().match_elements<failure>())
    return err.context().get_as<failure>(0);
  failure result;
  result.code = code_of(err);
  result.message
    = result.code == error_code::shutting_down ? "the executor has ended" : caf::to_string(err);
  return result;
}

error_code code_of(const caf::error& err) {
  if (err == caf::sec::request_receiver_down)
    return error_code::shutting_down;
  return err && err.category() == caf::atom("sshexec") ? static_cast<error_code>(err.code())
                                                       : error_code::none;
}

bool is(const caf::error& err, error_code code) {
  return err && code_of(err) == code;
}

} // namespace sshexec
