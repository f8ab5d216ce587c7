#pragma once

#include <cstdint>
#include <string>

namespace sshexec {

/// The kinds of errors a caller meets. Each comes with a `failure` that says the rest.
enum class error_code : std::uint8_t {
  none = 0,
  /// An empty or blank command, a machine without hostname, a NUL byte where none may be.
  invalid_argument,
  /// A key or file on the executor's side cannot be used; the message names the path.
  configuration_error,
  /// The server takes none of our keys; the message names user, host and the methods it offers.
  authentication_error,
  /// No connection, or none that lasted; `failure::fault` says why.
  connection_error,
  /// The host key is not the one expected; the message has both fingerprints.
  host_key_error,
  /// The command was ended because its time was up.
  command_timeout,
  /// The caller took its request back.
  cancelled,
  /// Too many commands wait for this machine already.
  overloaded,
  /// The server, or a policy, does not let this command run.
  rejected,
  /// The executor is going down.
  shutting_down,
};

std::string to_string(error_code x);

} // namespace sshexec
