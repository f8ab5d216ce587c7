#pragma once

#include "sshexec/messages/failure.hpp"
#include "sshexec/ssh/error.hpp"

#include <caf/error.hpp>

#include <string>

namespace sshexec {

/// Why an attempt failed, in the caller's terms.
struct setback {
  error_code code = error_code::connection_error;
  connection_fault fault = connection_fault::none;
  std::string text;

  /// Whether another attempt may succeed where this one failed.
  [[nodiscard]] bool retriable() const;
};

setback to_setback(const ssh::error& reason);

/// Of an error that a service answered with.
setback to_setback(const caf::error& reason);

} // namespace sshexec
