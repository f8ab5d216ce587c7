#pragma once

#include "descriptor_limit.hpp"

namespace sshexec::test {

/// Whatever this process opens meanwhile fails with EMFILE.
struct no_descriptors_left : descriptor_limit {
  no_descriptors_left() : descriptor_limit{0} {}
};

} // namespace sshexec::test
