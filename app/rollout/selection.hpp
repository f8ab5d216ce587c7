#pragma once

#include "sshexec/messages/machine.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sshexec::app {

/// So many of the machines at random, or all if there are no more, in their order. The same seed
/// gives the same ones, on any computer.
std::vector<machine> picked(std::vector<machine> machines, std::size_t count, std::uint64_t seed);

} // namespace sshexec::app
