#include "sshexec/actors/remote/wire/connector.hpp"

#include "sshexec/actors/remote/wire/sockets.hpp"
#include "sshexec/actors/remote/wire/tls_tunnel.hpp"
#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/ssh/crypto_state.hpp"

#include <caf/blocking_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/scribe.hpp>
#include <caf/spawn_options.hpp>

#include <cerrno>
#include <memory>
#include <utility>

namespace sshexec {

namespace {

/// Puts a tunnel behind the connection, on a thread that ends with it; the other end is for CAF.
ssh::result<ssh::file_descriptor> tunnel(caf::actor_system& system, tls_stream stream) {
  ssh::socket_pair ends = ssh::make_socket_pair();
  if (!ends.first)
    return tl::unexpected{ssh::from_errno(errno)};
  const auto carrier = std::make_shared<tls_tunnel>(std::move(stream), std::move(ends.first));
  system.spawn<caf::detached + caf::hidden>([carrier](caf::blocking_actor*) {
    run_tunnel(*carrier);
    ssh::free_crypto_state();
  });
  return std::move(ends.second);
}

ssh::result<ssh::file_descriptor> open(caf::actor_system& system, const network_address& hub,
                                       const tls_context& tls, const tls_files& files,
                                       const patience& bound) {
  auto socket = connect_to(hub, bound, tls ? reach::anywhere : reach::this_machine);
  if (!socket || !tls)
    return socket;
  // The files may have been replaced by now.
  const auto renewed = load_tls(files, tls_role::client);
  auto stream = secure(std::move(*socket), renewed ? *renewed : tls, bound);
  if (!stream)
    return tl::unexpected{stream.error()};
  return tunnel(system, std::move(*stream));
}

} // namespace

caf::behavior connector(caf::event_based_actor* self, const network_address& hub,
                        const tls_context& tls, const tls_files& files, caf::timespan timeout,
                        const std::shared_ptr<ssh::file_descriptor>& wanted) {
  self->attach_functor(ssh::free_crypto_state);
  return {
    [=](caf::connect_atom) {
      auto promise = self->make_response_promise();
      auto& middleman = self->system().middleman();
      auto socket = open(self->system(), hub, tls, files,
                         {std::chrono::steady_clock::now() + timeout, wanted->get()});
      if (!socket) {
        promise.deliver(to_caf_error(socket.error()));
        return;
      }
      promise.delegate(middleman.named_broker<caf::io::basp_broker>(caf::atom("BASP")),
                       caf::connect_atom::value, middleman.backend().new_scribe(socket->release()),
                       hub.port);
    },
  };
}

} // namespace sshexec
