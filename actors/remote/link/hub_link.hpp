#pragma once

#include "sshexec/actors/remote/connect_settings.hpp"
#include "sshexec/actors/remote/link/caller_relay.hpp"
#include "sshexec/actors/remote/link/gate.hpp"
#include "sshexec/actors/remote/wire/tls_context.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <caf/actor_addr.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>

namespace sshexec {

using attempt_atom = caf::atom_constant<caf::atom("attempt")>;
using expire_atom = caf::atom_constant<caf::atom("expire")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;

using hub_link_actor = executor_actor::extend<
  /// Time for this attempt to connect.
  caf::reacts_to<attempt_atom, std::uint64_t>,
  /// The time of this attempt is up.
  caf::reacts_to<expire_atom, std::uint64_t>,
  /// Everything that came before the link's end is answered.
  caf::reacts_to<leave_atom>>;

/// Keeps one connection to a hub and sends each caller's messages over it.
struct hub_link_state {
  static inline const char* name = "sshexec.hub_link";

  enum class stage : std::uint8_t {
    /// The first attempt is under way, and whoever asks waits for it.
    starting,
    connected,
    /// Whoever asks is told the reason; attempts are made meanwhile.
    disconnected,
    closing,
  };

  explicit hub_link_state(hub_link_actor::pointer self_ptr) : self(self_ptr) {}

  hub_link_state(const hub_link_state&) = delete;
  hub_link_state& operator=(const hub_link_state&) = delete;
  ~hub_link_state();

  // -- a caller asks -------------------------------------------------------------------------

  caf::result<command_result> execute(machine& target, command& what);
  caf::result<void> cancel(machine& target, std::string& command_id);
  caf::result<std::uint64_t> cancel_everywhere(const std::string& command_id);

  /// Sends something to the hub if it is there; nobody waits for it.
  template <class... Arguments>
  void pass_on(const Arguments&... arguments) {
    if (executor)
      self->send(executor, arguments...);
  }

  caf::result<void> input(machine& target, std::string& command_id, std::string& data, bool end);
  caf::result<executor_status> status();
  /// Observers are the link's own: they stay when the connection is made anew.
  void subscribe(const observer_actor& who);
  void unsubscribe(const observer_actor& who);
  relay_actor relay_of_sender();
  /// Why a request cannot be answered now. It names no machine yet.
  [[nodiscard]] caf::error refusal() const;

  // -- a connection comes about --------------------------------------------------------------

  void connect(std::uint64_t number);
  void reached(const caf::strong_actor_ptr& published, const std::set<std::string>& interface);
  void greeted(std::uint32_t version, const caf::strong_actor_ptr& published);
  void attempt_failed(failure why);

  // -- something ends ------------------------------------------------------------------------

  void ended(const caf::down_msg& message);
  void disconnected(failure why);
  /// They answer what they have.
  void end_relays();
  void connect_later();
  void close();
  void leave();
  void end_attempt();

  hub_link_actor::pointer self;
  connect_settings config;
  tls_context tls;
  std::string hub;
  stage now = stage::starting;
  /// Counts attempts, so that what belongs to an earlier one is told apart.
  std::uint64_t attempt = 0;
  caf::actor connector;
  /// Held while the connector's outcome is wanted: the connector may be waiting and deaf to
  /// messages, but sees a pipe's other end close.
  ssh::file_descriptor dialing;
  /// What the hub has published, until it has answered or the attempt has failed.
  gate_actor greeter;
  caf::timespan delay{0};
  /// Why there is no connection.
  failure reason;
  executor_actor executor;
  std::map<caf::actor_addr, relay_actor> relays;
  /// What stands in at the hub for each observer.
  std::map<caf::actor_addr, observer_actor> observers;
  std::minstd_rand random{std::random_device{}()};
};

/// An executor that forwards to the one published at `config.hub`.
hub_link_actor::behavior_type hub_link(hub_link_actor::stateful_pointer<hub_link_state> self,
                                       connect_settings config, tls_context tls);

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::connect_settings)
