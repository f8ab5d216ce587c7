#pragma once

#include "sshexec/messages/rollout.hpp"

#include <caf/timespan.hpp>

#include <cstddef>
#include <string>

namespace sshexec::app {

/// How far a rollout is, in a line of at most so many characters: "12 done, 1 failed, 50 running,
/// 37 waiting; 10.3/s, 4 s left".
std::string progress_line(const rollout_progress& now, caf::timespan elapsed, std::size_t width);

} // namespace sshexec::app
