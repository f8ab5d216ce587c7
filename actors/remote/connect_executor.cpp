#include "sshexec/actors/remote/connect_executor.hpp"

#include "sshexec/actors/remote/link/hub_link.hpp"
#include "sshexec/actors/remote/networking.hpp"
#include "sshexec/actors/runtime/service_error.hpp"

#include <utility>

namespace sshexec {

caf::expected<executor_actor> connect_executor(caf::actor_system& system, connect_settings config) {
  if (auto complaint = check_networking(system))
    return complaint;
  tls_context context;
  if (!config.plain) {
    auto loaded = load_tls(config.tls, tls_role::client);
    if (!loaded)
      return std::move(loaded.error());
    context = std::move(*loaded);
  } else if (!is_loopback(config.hub.host)) {
    return make_service_error(error_code::configuration_error,
                              config.hub.host + " is no loopback address: there must be TLS");
  }
  return executor_actor{system.spawn(hub_link, std::move(config), std::move(context))};
}

} // namespace sshexec
