#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>

namespace sshexec::test {

inline std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Runs a simulation for each of so many seeds. SSHEXEC_SIMULATION_SEEDS sets another number,
/// SSHEXEC_SIMULATION_SEED replays one.
template <class Simulation>
void run_seeds(std::uint64_t usually) {
  const auto first = number_from_environment("SSHEXEC_SIMULATION_SEED", 1);
  const bool replay = std::getenv("SSHEXEC_SIMULATION_SEED") != nullptr;
  const auto count = replay ? 1 : number_from_environment("SSHEXEC_SIMULATION_SEEDS", usually);
  for (auto seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("SSHEXEC_SIMULATION_SEED=" << seed) {
      Simulation{seed}.run();
    }
  }
}

} // namespace sshexec::test
