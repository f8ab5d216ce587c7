#include "sshexec/actors/remote/connect_node.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

namespace sshexec {

caf::expected<executor_actor> connect_node(caf::actor_system& system, const router_actor& router,
                                           connect_settings config) {
  // The hub's own executor joins, not the link, which would outlive the connection.
  config.on_connected = [router, name = to_string(config.hub)](const executor_actor& executor) {
    caf::anon_send(router, join_atom_v, name, executor);
  };
  auto link = connect_executor(system, std::move(config));
  if (link)
    caf::actor_cast<caf::actor>(router)->attach_functor([link = *link](const caf::error&) {
      caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
    });
  return link;
}

} // namespace sshexec
