#pragma once

#include "sshexec/messages/rollout.hpp"

#include <cstdint>
#include <string>
#include <tuple>

namespace sshexec::app {

/// What became of a machine, in the order in which people are told.
struct fate {
  enum class rank : std::uint8_t { success, exit_code, signal, error, never_started };

  rank of = rank::success;
  int number = 0;
  /// "exit code 7", "connection_error (refused)"; empty for success.
  std::string text;

  friend bool operator<(const fate& a, const fate& b) {
    return std::tie(a.of, a.number, a.text) < std::tie(b.of, b.number, b.text);
  }
};

fate fate_of(const machine_outcome& x);

/// What the caller calls the machine.
std::string name_of(const machine& x);

} // namespace sshexec::app
