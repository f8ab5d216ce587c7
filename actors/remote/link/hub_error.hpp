#pragma once

#include "sshexec/messages/failure.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/error.hpp>

#include <string>

namespace sshexec {

/// What callers are told about a hub that cannot be used; for a `connection_error`. It names no
/// machine yet (`about`).
inline failure hub_failure(const std::string& hub, connection_fault fault,
                           const std::string& what) {
  failure result;
  result.message = "hub " + hub + ": " + what;
  result.fault = fault;
  return result;
}

/// Errors of CAF's own must not reach callers. Those that are made of them name no machine yet.
caf::error as_own_error(const std::string& hub, caf::error reason);

} // namespace sshexec
