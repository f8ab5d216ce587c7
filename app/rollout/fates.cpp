#include "sshexec/app/rollout/fates.hpp"

#include "sshexec/actors/services/escape.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::app {

namespace {

/// "too_many_failures" for people.
std::string in_words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

} // namespace

fate fate_of(const machine_outcome& x) {
  if (x.succeeded())
    return {};
  switch (x.kind) {
    case outcome_kind::ended:
      if (!x.result.exit_signal.empty())
        return {fate::rank::signal, 0, "signal " + escape_controls(x.result.exit_signal)};
      return {fate::rank::exit_code, x.result.exit_code,
              "exit code " + std::to_string(x.result.exit_code)};
    case outcome_kind::failed: {
      const bool has_fault = x.what.fault != connection_fault::none;
      const std::string fault = has_fault ? " (" + in_words(to_string(x.what.fault)) + ')' : "";
      return {fate::rank::error, static_cast<int>(x.code), to_string(x.code) + fault};
    }
    case outcome_kind::never_started:
      break;
  }
  return {fate::rank::never_started, static_cast<int>(x.reason),
          "never started (" + in_words(to_string(x.reason)) + ')'};
}

std::string name_of(const machine& x) {
  return x.id.empty() ? to_address(x) : x.id;
}

} // namespace sshexec::app
