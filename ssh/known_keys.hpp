#pragma once

#include "sshexec/ssh/host_key.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sshexec::ssh {

/// What is on record for a host.
struct known_keys {
  std::vector<host_key> trusted;
  /// Keys of "@revoked" lines; never to be accepted.
  std::vector<host_key> revoked;
  /// For a host at an unusual port, without trusted keys of its own: those of the host's usual
  /// port. As for ssh(1), the server may show one of these, and one that shows another is unknown.
  std::vector<host_key> at_usual_port = {};
  /// Where the first trusted key stands, for messages; empty and 0 if that is not known. Lines
  /// count from 1.
  std::string file = {};
  std::size_t line = 0;
};

} // namespace sshexec::ssh
