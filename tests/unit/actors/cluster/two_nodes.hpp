#pragma once

#include "simulated_nodes.hpp"
#include "sshexec/actors/cluster/rendezvous.hpp"

#include <string>

namespace sshexec::test {

inline machine machine_called(const std::string& id) {
  machine result;
  result.id = id;
  result.hostname = "host";
  return result;
}

inline command command_called(const std::string& id, retry_policy retry = retry_policy::always) {
  command result;
  result.line = "true";
  result.id = id;
  result.retry = retry;
  return result;
}

/// Two nodes, and a machine that belongs to the first.
struct two_nodes : simulated_nodes {
  simulated_node& first = join("first");
  simulated_node& second = join("second");
  machine target = machine_of("first");

  [[nodiscard]] machine machine_of(const std::string& node) const {
    for (int i = 0;; ++i) {
      const machine candidate = machine_called("machine-" + std::to_string(i));
      if (*subject_ring().owner(candidate.id) == node)
        return candidate;
    }
  }

  [[nodiscard]] static rendezvous subject_ring() {
    rendezvous ring;
    ring.insert("first");
    ring.insert("second");
    return ring;
  }
};

} // namespace sshexec::test
