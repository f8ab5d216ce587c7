#pragma once

#include "sshexec/actors/remote/network_address.hpp"
#include "sshexec/actors/remote/protocol_version.hpp"
#include "sshexec/actors/remote/tls_files.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace sshexec {

/// How an executor is published.
struct publish_settings {
  /// Where to listen; any free port if 0.
  network_address address;
  /// Without TLS, so that whoever reaches the port can run commands: only on a loopback address.
  bool plain = false;
  /// Needed unless `plain`. Read anew, and open connections judged by them, within about two
  /// seconds after they changed.
  tls_files tls;
  /// For a client's TLS handshake.
  caf::timespan handshake_timeout = std::chrono::seconds{5};
  /// Told of clients that were turned away, and why, on a thread of the front or of the scheduler:
  /// must not wait for anything.
  std::function<void(const std::string&)> on_refused;
  /// Told what an operator should know, in one line: that the TLS files changed and were read anew,
  /// or why they cannot be used; daily, that a certificate ends within 30 days. On the front's
  /// thread: must not wait for anything.
  std::function<void(const std::string&)> on_notice;
  /// For tests of what happens between two versions.
  std::uint32_t version = protocol_version;
};

/// Lets clients use an executor over the network (see `connect_executor`) until it ends. The port
/// stays open until the actor system ends. Returns the port, or `configuration_error`: see
/// `load_tls` and `check_networking`; the address is not a loopback one and `plain` was asked for,
/// or nobody can listen there.
caf::expected<std::uint16_t> publish_executor(caf::actor_system& system,
                                              const executor_actor& executor,
                                              publish_settings config);

} // namespace sshexec
