#pragma once

#include "sshexec/actors/remote/network_address.hpp"
#include "sshexec/actors/remote/protocol_version.hpp"
#include "sshexec/actors/remote/tls_files.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/timespan.hpp>

#include <chrono>
#include <cstdint>
#include <functional>

namespace sshexec {

/// How to reach an executor that was published (see `publish_executor`).
struct connect_settings {
  network_address hub;
  /// Without TLS: only to a loopback address.
  bool plain = false;
  /// Needed unless `plain`.
  tls_files tls;
  /// For one attempt to connect, from the name's look-up to the hub's greeting.
  caf::timespan connect_timeout = std::chrono::seconds{10};
  /// Between two attempts: doubled from the first to the last, each lengthened by up to a quarter
  /// at random, so that the clients of a hub that restarts do not come back all at once.
  caf::timespan first_delay = std::chrono::milliseconds{250};
  caf::timespan last_delay = std::chrono::seconds{10};
  /// Told of each connection by the link's thread of the moment; what it gets is the hub's own
  /// executor, as far as this connection lasts.
  std::function<void(const executor_actor&)> on_connected;
  /// For tests of what happens between two versions.
  std::uint32_t version = protocol_version;
};

} // namespace sshexec
