#pragma once

#include "sshexec/actors/pool/machine_supervisor.hpp"
#include "sshexec/actors/pool/observers.hpp"
#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/settings.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace sshexec {

/// Knows which supervisors exist: hands each request to the one of its machine, retires those that
/// are idle, and asks them all when it is asked for the status.
struct pool_registry_state {
  static inline const char* name = "sshexec.pool_registry";

  struct entry {
    supervisor_actor supervisor;
    /// Requests ever handed over; an expiry that counts fewer has one still ahead of it.
    std::uint64_t delegated = 0;
    /// When it got a request, or was asked to make room.
    time_point last_asked{};
  };

  /// A machine, and whether it is another one because it is a jump: options of a command line
  /// (`settings::ssh_options`) are not for jumps.
  using key = std::pair<machine, bool>;

  /// A round of questions to all supervisors. There is one at a time: who asks meanwhile shares the
  /// next one, so that many who ask cost no more than one.
  struct survey {
    executor_status seen;
    /// Supervisors that have neither answered nor ended.
    std::size_t missing = 0;
    std::vector<reply<executor_status>> askers;
  };

  explicit pool_registry_state(registry_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<command_result> execute(machine& target, command& what);
  void cancel(machine& target, std::string& command_id);
  caf::result<std::uint64_t> cancel_everywhere(std::string& command_id);
  caf::result<void> input(machine& target, std::string& command_id, std::string& data, bool end);
  caf::result<tunnel> forward(machine& through, tunnel_request& what);
  void expired(const machine& target, bool is_jump, std::uint64_t received);
  void make_room();
  void supervisor_ended(const caf::actor_addr& supervisor);
  void shut_down(const caf::error& reason);

  void subscribe(const observer_actor& who);
  void unsubscribe(const caf::actor_addr& who);
  void credentials_changed(machine& target);
  void all_credentials_changed();
  void set_observers(std::vector<observer_actor> list);

  caf::result<executor_status> status();
  void begin_survey();
  void one_less_missing();
  void end_survey();

  /// What makes a request senseless from the start.
  [[nodiscard]] std::optional<std::string> objection(const machine& target,
                                                     const command& what) const;
  caf::error refuse(const machine& target, const command& what, error_code code,
                    std::string message);
  void complete(machine& target) const;
  void complete(command& what) const;

  [[nodiscard]] key key_of(const machine& target, bool is_jump = false) const {
    return {target, is_jump && !config.ssh_options.empty()};
  }

  entry& entry_of(const machine& target, bool is_jump);
  /// The supervisor of that machine, which gets one request more.
  supervisor_actor hand_over_to(const machine& target, bool as_jump = false);
  void quit_when_done();
  void quit();

  registry_actor::pointer self;
  settings config;
  supervisor_services services;
  /// What ends with the registry.
  std::vector<caf::actor> owned;
  std::map<key, entry> machines;
  /// Every supervisor that has not ended yet, the retired ones included.
  std::map<caf::actor_addr, key> supervisors;
  observer_list observers;
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;
  survey current_survey;
  std::vector<reply<executor_status>> next_askers;
  std::optional<caf::error> shutdown_reason;
};

/// The registry of one pool. It ends `owned` with itself, which are services of its own.
registry_actor::behavior_type
pool_registry(registry_actor::stateful_pointer<pool_registry_state> self, settings config,
              supervisor_services services, std::vector<caf::actor> owned);

} // namespace sshexec
