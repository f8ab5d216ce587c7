#include "sshexec/actors/remote/publish_executor.hpp"

#include "sshexec/actors/remote/link/gate.hpp"
#include "sshexec/actors/remote/networking.hpp"
#include "sshexec/actors/remote/wire/handoff_doorman.hpp"
#include "sshexec/actors/remote/wire/sockets.hpp"
#include "sshexec/actors/remote/wire/tls_front.hpp"
#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/ssh/crypto_state.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/send.hpp>
#include <caf/spawn_options.hpp>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace sshexec {

namespace {

namespace network = caf::io::network;

network::default_multiplexer& backend_of(caf::actor_system& system) {
  return static_cast<network::default_multiplexer&>(system.middleman().backend());
}

/// Starts the front on a thread that ends with CAF's networking.
caf::expected<caf::io::doorman_ptr> start_front(caf::actor_system& system,
                                                ssh::file_descriptor listener, live_tls tls,
                                                const publish_settings& config) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return make_service_error(error_code::configuration_error, "no descriptors left");
  const auto handoff = std::make_shared<ssh::file_descriptor>(ends[0]);
  const auto port = local_port(listener);
  tls_front::options options;
  options.handshake_timeout
    = std::chrono::duration_cast<std::chrono::milliseconds>(config.handshake_timeout);
  options.on_refused = config.on_refused;
  const auto admit = [handoff](ssh::file_descriptor connection) {
    const int value = connection.get();
    if (::send(handoff->get(), &value, sizeof(value), MSG_NOSIGNAL) != sizeof(value))
      return false;
    connection.release();
    return true;
  };
  const auto front = std::make_shared<tls_front>(std::move(listener), std::move(tls),
                                                 handoff->get(), std::move(options), admit);
  system.spawn<caf::detached + caf::hidden>([front](caf::blocking_actor*) {
    front->run();
    ssh::free_crypto_state();
  });
  return caf::make_counted<handoff_doorman>(backend_of(system), ssh::file_descriptor{ends[1]},
                                            port);
}

caf::expected<caf::io::doorman_ptr> open(caf::actor_system& system,
                                         const publish_settings& config) {
  std::optional<live_tls> tls;
  if (!config.plain) {
    auto loaded = live_tls::load(config.tls, config.on_notice);
    if (!loaded)
      return std::move(loaded.error());
    tls = std::move(*loaded);
  } else if (!is_loopback(config.address.host)) {
    return make_service_error(error_code::configuration_error,
                              config.address.host
                                + " is no loopback address: there must be TLS, or anybody who "
                                  "reaches it could run commands");
  }
  auto listener = listen_on(config.address, config.plain ? reach::this_machine : reach::anywhere);
  if (!listener)
    return make_service_error(error_code::configuration_error, "Cannot listen on "
                                                                 + to_string(config.address) + ": "
                                                                 + listener.error().text);
  if (tls)
    return start_front(system, std::move(*listener), std::move(*tls), config);
  return caf::make_counted<network::doorman_impl>(backend_of(system), listener->release());
}

} // namespace

caf::expected<std::uint16_t> publish_executor(caf::actor_system& system,
                                              const executor_actor& executor,
                                              publish_settings config) {
  if (auto complaint = check_networking(system))
    return complaint;
  auto doorman = open(system, config);
  if (!doorman)
    return std::move(doorman.error());
  const std::uint16_t port = (*doorman)->port();
  const auto published = system.spawn(gate, executor, std::move(config.on_refused), config.version);
  // What middleman::publish does, with a doorman of our own.
  caf::anon_send(system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP")),
                 caf::publish_atom::value, std::move(*doorman), port,
                 caf::actor_cast<caf::strong_actor_ptr>(published),
                 system.message_types<gate_actor>());
  return port;
}

} // namespace sshexec
