#pragma once

#include "sshexec/messages/rollout.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sshexec::test {

inline machine machine_named(const std::string& name) {
  machine result;
  result.id = name;
  result.hostname = name;
  return result;
}

inline machine_outcome ended(const std::string& name, int exit_code, std::string out = {}) {
  machine_outcome result;
  result.machine = machine_named(name);
  result.kind = outcome_kind::ended;
  result.result.exit_code = exit_code;
  result.result.output.stdout_bytes = out.size();
  result.result.output.stdout_data = std::move(out);
  return result;
}

inline machine_outcome ended_by_signal(const std::string& name, const std::string& signal) {
  machine_outcome result = ended(name, -1);
  result.result.exit_signal = signal;
  return result;
}

inline machine_outcome failed(const std::string& name, error_code code,
                              connection_fault fault = connection_fault::none) {
  machine_outcome result;
  result.machine = machine_named(name);
  result.kind = outcome_kind::failed;
  result.code = code;
  result.what.message = "it failed";
  result.what.fault = fault;
  return result;
}

inline machine_outcome never_started(const std::string& name, skip_reason reason) {
  machine_outcome result;
  result.machine = machine_named(name);
  result.reason = reason;
  return result;
}

/// Names as a test tells them apart from folded ones.
inline std::string in_angles(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names)
    result += (result.empty() ? "<" : " ") + name;
  return result + '>';
}

} // namespace sshexec::test
