#pragma once

#include "sshexec/actors/cluster/errand.hpp"
#include "sshexec/actors/cluster/rendezvous.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace sshexec {

using join_atom = caf::atom_constant<caf::atom("join")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;

/// An executor that spreads machines over other executors, its nodes, which may live in other
/// processes. A machine belongs to the node that rendezvous hashing names for its id, or for all
/// its fields when it has none.
///
/// A machine is served by one node at a time. One that is busy stays where it is when another node
/// joins, until it has no open request; so nothing waits for a join. When a node leaves, its busy
/// machines finish there what was begun, and new commands for them wait for that. When a node dies,
/// its machines move at once; where it did not die, but cannot be reached, the commands that it
/// runs are ended as soon as it notices the same, because their callers are gone. Both sides notice
/// within the connection timeout of CAF's middleman, which bounds how long two nodes may serve one
/// machine.
///
/// A request that was under way on a node that died is run again elsewhere if its retry policy is
/// `always`, at most twice and not after it was given input; otherwise it is answered with a
/// `connection_error` that names the node. A node that is shutting down is left, and the commands
/// that it refuses go to the others.
using router_actor = executor_actor::extend<
  /// A node with a name of its own takes its share of the machines. It is watched: its end is its
  /// death. An earlier node of this name is given up, if it is not the same actor.
  caf::reacts_to<join_atom, std::string, executor_actor>,
  /// The node takes no new commands. Answered once it has none left, when it can be ended without
  /// harm; at once when there is no such node, with `cancelled` when it joins again meanwhile.
  caf::reacts_to<leave_atom, std::string>>;

/// Starts a router without nodes. Of the settings it uses `user` (completed before a machine is
/// looked up, if set), `drain_timeout`, and the journal's, which gets one line for each request
/// that no node answered. An exit message ends it, as it ends an executor; its nodes go on.
caf::expected<router_actor> spawn_router(caf::actor_system& system, const settings& config);

/// The same with a journal that exists; it ends with the router.
caf::expected<router_actor> spawn_router(caf::actor_system& system, const settings& config,
                                         journal_actor journal);

/// With what the router's errands say to it (`dispatcher_actor`).
using routing_actor = router_actor::extend<caf::reacts_to<place_atom, errand_id>,
                                           caf::reacts_to<refused_atom, errand_id, node_id>,
                                           caf::reacts_to<ended_atom, errand_id>,
                                           /// The time to drain is over.
                                           caf::reacts_to<shutdown_atom>>;

/// Each request has a small actor of its own, its `errand`, which is the caller as far as the nodes
/// can see. So cancel, input and the caller's end work as they do without a router, an answer goes
/// past the router, and the caller hears of a dead node although CAF does not fail requests to one.
/// Within a process this costs six messages and one spawned actor a request: 10 to 15 µs of CPU.
struct router_state {
  static inline const char* name = "sshexec.router";

  struct node {
    std::string name;
    executor_actor executor;
    bool leaving = false;
    /// Those that it has.
    std::set<errand_id> errands;
    /// Who waits for its leaving.
    std::vector<reply<void>> leave_answers;
  };

  /// A machine with open requests.
  struct busy_machine {
    node_id at = 0;
    std::size_t running = 0;
    /// Those that wait until nothing is running.
    std::set<errand_id> held;
  };

  struct open_errand {
    errand_actor actor;
    caf::actor_addr caller;
    machine target;
    std::string command_id;
    std::string key;
    /// 0: none.
    node_id at = 0;
  };

  /// How a caller speaks of its requests, by machine and command id.
  using request_name = std::tuple<machine, std::string, errand_id>;

  explicit router_state(routing_actor::pointer self_ptr) : self(self_ptr) {}

  router_state(const router_state&) = delete;
  router_state& operator=(const router_state&) = delete;
  ~router_state();

  // -- nodes ---------------------------------------------------------------------------------

  caf::result<void> join(const std::string& name, const executor_actor& executor);
  caf::typed_response_promise<void> leave(const std::string& name);
  void begin_leaving(node_id id);
  void drop_if_drained(node_id id);
  void node_lost(node_id id);
  [[nodiscard]] node_id find_node(const std::string& name) const;

  // -- requests ------------------------------------------------------------------------------

  caf::result<command_result> execute(machine& target, command& what);
  void cancel(machine& target, const std::string& command_id);
  caf::result<void> input(machine& target, const std::string& command_id, std::string& data,
                          bool is_end);
  void caller_ended(const caf::actor_addr& caller);

  // -- who watches ---------------------------------------------------------------------------

  /// Sends something to each node.
  template <class... Arguments>
  void tell_nodes(const Arguments&... arguments) {
    for (const auto& [id, x] : nodes)
      self->send(x.executor, arguments...);
  }

  void subscribe(const observer_actor& who);
  void unsubscribe(const observer_actor& who);
  /// Of all nodes together. One that does not answer soon is left out.
  caf::typed_response_promise<executor_status> status();

  /// Sends an errand to the node that serves its machine, or lets it wait for that node.
  void place(errand_id id);
  /// Takes an errand off its node, which may free the machine for another one.
  void release(errand_id id);
  void place_again(errand_id id);
  void refused(errand_id id, node_id by);
  void ended(errand_id id);

  // -- the end -------------------------------------------------------------------------------

  void actor_ended(const caf::actor_addr& source);
  void shut_down(const caf::error& reason);
  void drained();
  void quit_when_done();

  void complete(machine& target) const;
  void add_name(errand_id id);
  void remove_name(errand_id id);
  /// The errands of the sender of the present message with this machine and command id.
  [[nodiscard]] std::vector<errand_actor> sender_errands(const machine& target,
                                                         const std::string& command_id) const;

  routing_actor::pointer self;
  settings config;
  journal_actor journal;
  rendezvous ring;
  std::map<node_id, node> nodes;
  node_id last_node = 0;
  std::map<errand_id, open_errand> errands;
  errand_id last_errand = 0;
  /// Those with open requests, whose end will be told.
  std::map<caf::actor_addr, std::set<request_name>> callers;
  std::map<std::string, busy_machine> machines;
  /// What stands in for each at the nodes.
  std::map<caf::actor_addr, observer_actor> observers;
  std::optional<caf::error> shutdown_reason;
};

routing_actor::behavior_type router(routing_actor::stateful_pointer<router_state> self,
                                    settings config, journal_actor journal);

} // namespace sshexec
