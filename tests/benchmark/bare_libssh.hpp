#pragma once

#include "options.hpp"

namespace sshexec::bench {

/// A command on each of many machines by libssh alone: a blocking session in each of as many
/// threads as there may be requests at once. What an executor over libssh cannot undercut.
bool fan_out_bare(const options& x);

} // namespace sshexec::bench
