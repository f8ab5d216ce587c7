#include "sshexec/app/rollout/selection.hpp"

#include <random>
#include <utility>

namespace sshexec::app {

std::vector<machine> picked(std::vector<machine> machines, std::size_t count, std::uint64_t seed) {
  // The standard library's own ways to draw at random differ between implementations.
  std::mt19937_64 random{seed};
  std::vector<machine> result;
  for (std::size_t i = 0; i < machines.size() && result.size() < count; ++i) {
    const std::size_t left = machines.size() - i;
    if (random() % left < count - result.size())
      result.push_back(std::move(machines[i]));
  }
  return result;
}

} // namespace sshexec::app
