#pragma once

#include "sshexec/messages/failure.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/error.hpp>

#include <string>

namespace sshexec {

/// What callers are told about a hub that cannot be used; for a `connection_error`.
inline failure hub_failure(const std::string& hub, connection_fault fault,
                           const std::string& what) {
  failure result;
  result.message = "Hub " + hub + ": " + what;
  result.fault = fault;
  return result;
}

/// Errors of CAF's own must not reach callers. `target` may be empty.
caf::error as_own_error(const std::string& hub, const machine& target, caf::error reason);

} // namespace sshexec
