#pragma once

#include "sshexec/messages/error_code.hpp"
#include "sshexec/ssh/error.hpp"

#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/result.hpp>

#include <string>
#include <utility>

namespace sshexec {

/// An error whose `failure` holds a message alone, as services answer with.
caf::error make_service_error(error_code code, std::string message);

caf::error to_caf_error(const ssh::error& reason);

/// What a handler returns for the outcome of a call into `ssh/`.
template <class T>
caf::result<T> to_answer(ssh::result<T> outcome) {
  if (!outcome)
    return to_caf_error(outcome.error());
  return std::move(*outcome);
}

} // namespace sshexec
