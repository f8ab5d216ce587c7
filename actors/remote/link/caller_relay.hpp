#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/timer_queue.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sshexec {

using reached_atom = caf::atom_constant<caf::atom("reached")>;
using refuse_atom = caf::atom_constant<caf::atom("refuse")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;

using relay_actor = executor_actor::extend<
  /// The connection is there: the hub's executor.
  caf::reacts_to<reached_atom, executor_actor>,
  /// There is no connection, and never will be; why. Nothing comes behind this.
  caf::reacts_to<refuse_atom, caf::error>,
  /// A deadline may have passed.
  caf::reacts_to<tick_atom>>;

/// Stands in for one caller at a hub, over one connection. The hub knows callers by who sends a
/// request: with an actor for each, input and cancel reach only the commands of their sender there
/// too, and the hub notices the end of each. It answers what is under way when the connection ends;
/// what comes then, or before the connection is there, waits until the link says how things are.
/// Each command is answered within its deadline, whatever the hub does.
struct caller_relay_state {
  using time_point = caf::actor_clock::time_point;

  static inline const char* name = "sshexec.caller_relay";

  explicit caller_relay_state(relay_actor::pointer self_ptr) : self(self_ptr) {}

  void reached(const executor_actor& hubs_executor);
  void refuse(const caf::error& why);

  caf::typed_response_promise<command_result> execute(machine& target, command& what);
  void cancel(machine& target, std::string& command_id);
  std::uint64_t cancel_everywhere(const std::string& command_id);
  caf::typed_response_promise<void> input(machine& target, std::string& command_id,
                                          std::string& data, bool end);
  caf::typed_response_promise<executor_status> status();
  void lost();
  void answer_all(const caf::error& why);

  struct open_command {
    reply<command_result> answer;
    sshexec::machine target;
    /// As it came, until it is sent.
    command what;
    bool is_sent = false;
    bool is_cancelled = false;
    std::optional<time_point> deadline;
    /// What stands in for the consumer of its output; none unless that is streamed.
    output_consumer output;
  };

  struct open_input {
    reply<void> answer;
    sshexec::machine target;
  };

  void send(std::uint64_t id);
  void tick();
  void give_up(std::uint64_t id);
  /// Of a command that is not sent.
  void forget(std::uint64_t id);
  void answered(std::uint64_t id, command_result& result);
  void failed(std::uint64_t id, caf::error& reason);
  /// Takes out a command that is still open.
  std::optional<open_command> take(std::uint64_t id);
  void send_tick();

  relay_actor::pointer self;
  /// None before the connection is there, and behind its end.
  executor_actor executor;
  std::string hub;
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, open_command> commands;
  timer_queue<std::uint64_t> deadlines;
  std::map<std::uint64_t, open_input> inputs;
  std::map<std::uint64_t, reply<executor_status>> statuses;
};

/// Relays to the executor of the hub of this name; at once, if it is given.
relay_actor::behavior_type caller_relay(relay_actor::stateful_pointer<caller_relay_state> self,
                                        const executor_actor& executor, std::string hub);

} // namespace sshexec
