#pragma once

#include "sshexec/actors/machine_supervisor.hpp"
#include "sshexec/actors/settings.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace sshexec {

/// Knows which supervisors exist: hands each request to the one of its machine, and retires those
/// that are idle.
struct pool_registry_state {
  static inline const char* name = "sshexec.pool_registry";

  struct entry {
    supervisor_actor supervisor;
    /// Requests ever handed over; an expiry that counts fewer has one still ahead of it.
    std::uint64_t delegated = 0;
  };

  explicit pool_registry_state(registry_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<command_result> execute(machine& target, command& what);
  void cancel(machine& target, std::string& command_id);
  caf::result<void> input(machine& target, std::string& command_id, std::string& data, bool end);
  void expired(const machine& target, std::uint64_t received);
  void supervisor_ended(const caf::actor_addr& supervisor);
  void shut_down(const caf::error& reason);

  /// What makes a request senseless from the start.
  [[nodiscard]] std::optional<std::string> objection(const machine& target,
                                                     const command& what) const;
  caf::error refuse(const machine& target, const command& what, error_code code,
                    std::string message);
  void complete(machine& target) const;
  void complete(command& what) const;
  entry& entry_of(const machine& target);
  void quit_when_done();

  registry_actor::pointer self;
  settings config;
  supervisor_services services;
  std::map<machine, entry> machines;
  /// Every supervisor that has not ended yet, the retired ones included.
  std::map<caf::actor_addr, machine> supervisors;
  std::optional<caf::error> shutdown_reason;
};

/// The registry of one pool. It owns `services`, and ends them with itself.
registry_actor::behavior_type
pool_registry(registry_actor::stateful_pointer<pool_registry_state> self, settings config,
              supervisor_services services);

} // namespace sshexec
