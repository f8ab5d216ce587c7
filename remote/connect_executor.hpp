#pragma once

#include "sshexec/messages/executor.hpp"
#include "sshexec/remote/gate.hpp"
#include "sshexec/remote/network_address.hpp"
#include "sshexec/remote/tls_context.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/timespan.hpp>

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

/// Starts an executor whose commands run on a hub. It does what the hub's executor does, and
/// answers with `connection_error`, whose message names the hub:
///
/// - while there is no connection, at once, except that requests wait for the very first attempt;
///   it connects again by itself, sooner or later;
/// - when the connection ends, to all requests that are under way: those may have run.
///
/// The end of a caller is told to the hub, so its commands are cancelled there too. An exit message
/// ends it at once, save for the look-up of a name, and cancels its commands; open requests are
/// answered with `shutting_down`. Dropping the handle does not end it. Fails with
/// `configuration_error`: see `load_tls`, `check_networking`.
///
///     auto executor = sshexec::connect_executor(system, {{"hub-1", 7022}, false, files});
///     self->request(*executor, caf::infinite, sshexec::execute_atom_v, machine, command)
caf::expected<executor_actor> connect_executor(caf::actor_system& system, connect_settings config);

} // namespace sshexec
