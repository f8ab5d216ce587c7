#pragma once

#include "sshexec/messages/error_code.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sshexec::soak {

/// What happened.
struct tally {
  std::uint64_t commands = 0;
  std::uint64_t succeeded = 0;
  std::map<error_code, std::uint64_t> failed;
  std::uint64_t attempts = 0;
  std::uint64_t connections = 0;
  std::map<std::string, std::uint64_t> faults;
  /// Promises that were broken.
  std::vector<std::string> violations;

  void add(const tally& other) {
    commands += other.commands;
    succeeded += other.succeeded;
    for (const auto& [code, count] : other.failed)
      failed[code] += count;
    attempts += other.attempts;
    connections += other.connections;
    for (const auto& [fault, count] : other.faults)
      faults[fault] += count;
    violations.insert(violations.end(), other.violations.begin(), other.violations.end());
  }
};

} // namespace sshexec::soak
