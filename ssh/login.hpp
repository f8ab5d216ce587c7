#pragma once

#include "sshexec/ssh/private_key.hpp"
#include "sshexec/ssh/secret.hpp"

#include <string>
#include <vector>

namespace sshexec::ssh {

/// How to authenticate at a server.
struct login {
  /// Empty: whatever the machine says.
  std::string username;
  /// To be offered in this order.
  private_keys keys;
  /// Sockets of SSH agents whose keys are offered after these.
  std::vector<std::string> agents;
  /// What else there was, and why it cannot be used; for people.
  std::string passed_over = {};
  /// Behind all of these; empty: none.
  secret password = {};
};

} // namespace sshexec::ssh
