#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace sshexec {

/// Stands in for one caller at a hub, over one connection. The hub knows callers by who sends a
/// request: with an actor for each, input and cancel reach only the commands of their sender there
/// too, and the hub notices the end of each. It ends when the connection does, and answers what is
/// under way by then.
struct caller_relay_state {
  static inline const char* name = "sshexec.caller_relay";

  explicit caller_relay_state(executor_actor::pointer self_ptr) : self(self_ptr) {}

  caf::typed_response_promise<command_result> execute(machine& target, command& what);
  caf::typed_response_promise<void> input(machine& target, std::string& command_id,
                                          std::string& data, bool end);
  caf::typed_response_promise<executor_status> status();
  void lost();

  struct open_command {
    reply<command_result> answer;
    std::string machine;
    /// What stands in for the consumer of its output; none unless that is streamed.
    output_consumer output;
  };

  executor_actor::pointer self;
  executor_actor executor;
  std::string hub;
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, open_command> commands;
  std::map<std::uint64_t, reply<void>> inputs;
  std::map<std::uint64_t, reply<executor_status>> statuses;
};

/// Relays to `executor`, which lives on the hub of this name.
executor_actor::behavior_type
caller_relay(executor_actor::stateful_pointer<caller_relay_state> self, executor_actor executor,
             std::string hub);

} // namespace sshexec
