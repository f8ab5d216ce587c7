#include "sshexec/actors/remote/networking.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <caf/io/middleman.hpp>
#include <caf/string_view.hpp>
#include <caf/timespan.hpp>

namespace sshexec {

namespace {

constexpr caf::string_view heartbeat_interval = "middleman.heartbeat-interval";
constexpr caf::string_view connection_timeout = "middleman.connection-timeout";

} // namespace

void configure_networking(caf::actor_system_config& config) {
  config.load<caf::io::middleman>();
  config.set(heartbeat_interval, caf::timespan{std::chrono::seconds{5}});
  config.set(connection_timeout, caf::timespan{std::chrono::seconds{30}});
}

caf::error check_networking(caf::actor_system& system) {
  const auto refuse
    = [](const char* why) { return make_service_error(error_code::configuration_error, why); };
  if (!system.has_middleman())
    return refuse("CAF's networking is not loaded (see configure_networking)");
  const auto heartbeat = caf::get_or(system.config(), heartbeat_interval, caf::timespan{0});
  const auto timeout = caf::get_or(system.config(), connection_timeout, caf::timespan{0});
  if (heartbeat.count() <= 0)
    return refuse("middleman.heartbeat-interval has to be set");
  if (timeout < 2 * heartbeat)
    return refuse("middleman.connection-timeout has to be at least two heartbeat intervals");
  return {};
}

} // namespace sshexec
