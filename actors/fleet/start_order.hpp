#pragma once

#include "sshexec/messages/machine.hpp"

#include <caf/optional.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sshexec {

/// The places of `machines` in the order in which they are started: as given, or shuffled by a
/// seed, in the same way everywhere. A machine that is named again has its first place only.
std::vector<std::size_t> start_order(const std::vector<machine>& machines,
                                     caf::optional<std::uint64_t> seed);

} // namespace sshexec
