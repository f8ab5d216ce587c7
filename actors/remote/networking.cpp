#include "sshexec/actors/remote/networking.hpp"

#include "sshexec/actors/remote/peer_broker.hpp"
#include "sshexec/actors/runtime/service_error.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/node_id.hpp>
#include <caf/string_view.hpp>
#include <caf/timespan.hpp>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sshexec {

namespace {

constexpr caf::string_view heartbeat_interval = "middleman.heartbeat-interval";
constexpr caf::string_view connection_timeout = "middleman.connection-timeout";
constexpr caf::string_view automatic_connections = "middleman.enable-automatic-connections";
constexpr caf::string_view workers = "middleman.workers";

/// CAF makes it of the machine's network cards and the process's number, which containers share.
caf::node_id make_random_node() {
  caf::node_id::default_data::host_id_type host{};
  if (::getrandom(host.data(), host.size(), 0) != static_cast<ssize_t>(host.size()))
    throw std::system_error{errno, std::system_category(), "getrandom"};
  return caf::make_node_id(static_cast<std::uint32_t>(::getpid()), host);
}

/// CAF's networking with a random node id and a broker of our own.
class own_middleman : public caf::io::middleman {
public:
  explicit own_middleman(caf::actor_system& system) : middleman(system), backend_(&system) {}

  /// What `actor_system_config::load` wants.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new own_middleman{system};
  }

  void init(caf::actor_system_config& config) override {
    middleman::init(config);
    // There is no setter. Nobody has asked for it before a module starts.
    const_cast<caf::node_id&>(system().node()) = make_random_node();
  }

  void start() override {
    // CAF takes the one that is there under this name.
    named_broker<peer_broker>(caf::atom("BASP"));
    middleman::start();
  }

  caf::io::network::multiplexer& backend() override { return backend_; }

private:
  caf::io::network::default_multiplexer backend_;
};

} // namespace

void configure_networking(caf::actor_system_config& config) {
  config.load<own_middleman>();
  config.set(heartbeat_interval, caf::timespan{std::chrono::seconds{5}});
  config.set(connection_timeout, caf::timespan{std::chrono::seconds{30}});
  // See peer_broker.
  config.set(workers, std::size_t{0});
}

caf::error check_networking(caf::actor_system& system) {
  const auto refuse
    = [](const char* why) { return make_service_error(error_code::configuration_error, why); };
  if (!system.has_middleman())
    return refuse("CAF's networking is not loaded (see configure_networking)");
  if (dynamic_cast<own_middleman*>(&system.middleman()) == nullptr)
    return refuse("CAF's networking was loaded by other means than configure_networking, so its "
                  "node id may be that of another process");
  if (caf::get_or(system.config(), automatic_connections, false))
    return refuse("middleman.enable-automatic-connections opens a port on all addresses that "
                  "anybody could run commands by: it must be off");
  if (caf::get_or(system.config(), workers, std::size_t{0}) != 0)
    return refuse(
      "middleman.workers has to be 0: with workers, CAF delivers messages of a peer that "
      "it has forgotten");
  const auto heartbeat = caf::get_or(system.config(), heartbeat_interval, caf::timespan{0});
  const auto timeout = caf::get_or(system.config(), connection_timeout, caf::timespan{0});
  if (heartbeat.count() <= 0)
    return refuse("middleman.heartbeat-interval has to be set");
  if (timeout < 2 * heartbeat)
    return refuse("middleman.connection-timeout has to be at least two heartbeat intervals");
  return {};
}

} // namespace sshexec
