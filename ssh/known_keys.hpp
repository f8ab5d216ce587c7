#pragma once

#include "sshexec/ssh/host_key.hpp"

#include <vector>

namespace sshexec::ssh {

/// What is on record for a host.
struct known_keys {
  std::vector<host_key> trusted;
  /// Keys of "@revoked" lines; never to be accepted.
  std::vector<host_key> revoked;
};

} // namespace sshexec::ssh
