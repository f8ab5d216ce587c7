#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/services/services.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/timestamp.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sshexec {

using errand_id = std::uint64_t;
/// Tells a node that died from one of the same name that came after it.
using node_id = std::uint64_t;

using go_atom = caf::atom_constant<caf::atom("go")>;
using hold_atom = caf::atom_constant<caf::atom("hold")>;
using nowhere_atom = caf::atom_constant<caf::atom("nowhere")>;
using lost_atom = caf::atom_constant<caf::atom("lost")>;
using orphaned_atom = caf::atom_constant<caf::atom("orphaned")>;
using deadline_atom = caf::atom_constant<caf::atom("deadline")>;
using place_atom = caf::atom_constant<caf::atom("place")>;
using refused_atom = caf::atom_constant<caf::atom("refused")>;
using shutdown_atom = caf::atom_constant<caf::atom("shutdown")>;
using ended_atom = caf::atom_constant<caf::atom("ended")>;

/// A node as errands see it.
struct errand_node {
  node_id id = 0;
  std::string name;
  executor_actor executor;
};

/// What an errand asks of its router.
using dispatcher_actor = caf::typed_actor<
  /// The errand's node was lost and the command may run again: which node is next?
  caf::reacts_to<place_atom, errand_id>,
  /// The node takes no commands any more, and did not start this one.
  caf::reacts_to<refused_atom, errand_id, node_id>,
  /// Nothing of the errand's command runs on its node any more, as far as can be known.
  caf::reacts_to<ended_atom, errand_id>>;

using errand_actor = caf::typed_actor<
  /// The request itself, delegated by the router.
  caf::replies_to<execute_atom, machine, command>::with<command_result>,
  /// The node to run on.
  caf::reacts_to<go_atom, errand_node>,
  /// The node comes later, when another one is done with the machine.
  caf::reacts_to<hold_atom>,
  /// There is no node.
  caf::reacts_to<nowhere_atom>,
  /// This node died.
  caf::reacts_to<lost_atom, node_id>,
  /// The caller takes the request back.
  caf::reacts_to<cancel_atom>,
  /// The router ends.
  caf::reacts_to<shutdown_atom>,
  /// The caller ended.
  caf::reacts_to<orphaned_atom>,
  /// The deadline of a command that was held back may have passed.
  caf::reacts_to<deadline_atom>,
  /// Input from the caller.
  caf::reacts_to<input_atom, std::string, bool>,
  /// Output from the node, on its way to the command's consumer.
  caf::reacts_to<output_chunk>>;

/// One request on its way over the nodes: to them it is the caller, to the caller it is the
/// executor. It ends with the answer.
struct errand_state {
  using time_point = caf::actor_clock::time_point;

  static inline const char* name = "sshexec.errand";

  enum class stage : std::uint8_t {
    /// The router looks for a node.
    placing,
    /// A node has the command.
    placed,
    /// Answered.
    ended,
  };

  struct held_input {
    std::string data;
    bool is_end = false;
    reply<void> answer;
  };

  explicit errand_state(errand_actor::pointer self_ptr) : self(self_ptr) {}

  caf::typed_response_promise<command_result> execute(machine& to, command& what);
  void go(errand_node& next);
  void hold();
  void nowhere();
  void check_deadline();

  void succeeded(command_result& result);
  void failed(caf::error& reason);
  /// The command is in the mailbox of an actor that has ended: the node, or one of its own.
  void untaken();
  void lost(node_id at);

  void cancel();
  void orphaned();
  void shut_down();
  caf::typed_response_promise<void> input(std::string& data, bool is_end);
  void forward_input();
  caf::result<void> output(output_chunk& chunk);

  /// What still remains of the command's deadline; negative when it has passed.
  [[nodiscard]] caf::timespan remaining() const;
  [[nodiscard]] bool may_run_again() const;

  /// Whether what comes of the run with this number still matters.
  [[nodiscard]] bool is_current(std::uint32_t run) const {
    return where == stage::placed && run == runs;
  }

  /// Ends with an error of the router's own.
  void fail(error_code code, const std::string& message);
  void fail(caf::error reason);
  void leave();

  errand_actor::pointer self;
  errand_id id = 0;
  dispatcher_actor router;
  /// Where requests that no node answers are recorded; may be null.
  journal_actor journal;

  stage where = stage::placing;
  reply<command_result> answer;
  machine target;
  /// As it came; each run gets a copy with what is left of the deadline.
  sshexec::command command;
  time_point received_at;
  caf::timestamp received_time;

  errand_node node;
  std::uint32_t runs = 0;
  /// Runs that ended with their node.
  std::uint32_t lost_runs = 0;
  std::string last_lost;
  /// The node that last ended, or seemed to, before it took the command.
  node_id untaken_by = 0;
  bool cancelled = false;
  /// Why the last node did not take the command.
  caf::error refusal;

  /// Input that waits for a node.
  std::vector<held_input> held_inputs;
  /// Input that the node has not confirmed.
  std::map<std::uint64_t, reply<void>> sent_inputs;
  std::uint64_t last_input = 0;
  /// Attempts of lost runs, as far as known: those of the present run are counted behind them.
  std::uint32_t earlier_attempts = 0;
  /// The latest attempt in the output so far.
  std::uint32_t last_attempt = 0;
};

/// The errand of one request, for `router`.
errand_actor::behavior_type errand(errand_actor::stateful_pointer<errand_state> self, errand_id id,
                                   dispatcher_actor router, journal_actor journal);

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::errand_node)
