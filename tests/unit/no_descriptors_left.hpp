#pragma once

#include "resource_limit.hpp"

namespace sshexec::test {

/// Whatever this process opens meanwhile fails with EMFILE.
struct no_descriptors_left : resource_limit {
  no_descriptors_left() : resource_limit{RLIMIT_NOFILE, 0} {}
};

} // namespace sshexec::test
