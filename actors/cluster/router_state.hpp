#pragma once

#include "sshexec/actors/cluster/errand.hpp"
#include "sshexec/actors/cluster/rendezvous.hpp"
#include "sshexec/actors/cluster/router.hpp"
#include "sshexec/actors/runtime/reply.hpp"

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
    bool is_cancelled = false;
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
  std::uint64_t cancel_everywhere(const std::string& command_id);
  /// Whether it had not been cancelled before.
  bool cancel_errand(open_errand& x);
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
  [[nodiscard]] std::vector<errand_id> sender_errands(const machine& target,
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
