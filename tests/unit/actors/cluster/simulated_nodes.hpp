#pragma once

#include "actors/pool/simulated_pool.hpp"
#include "sshexec/actors/cluster/router_state.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A router on virtual time over nodes that a test plays.
namespace sshexec::test {

/// A command that a node was given.
struct node_command {
  machine target;
  sshexec::command command;
  caf::actor_addr caller;
  /// Deliberately without a guard: a node that dies answers nothing.
  caf::typed_response_promise<command_result> promise;
};

/// CAF wants promises to be kept by the actor that made them.
using keep_atom = caf::atom_constant<caf::atom("keep")>;

using simulated_node_actor
  = executor_actor::extend<caf::reacts_to<keep_atom, node_command, command_result>,
                           caf::reacts_to<keep_atom, node_command, caf::error>>;

/// One node, as the test sees it.
struct simulated_node {
  std::string name;
  simulated_node_actor executor;
  bool alive = true;
  /// Refuses new commands.
  bool closing = false;
  /// Whether it answers those that are cancelled.
  bool ends_cancelled = true;
  /// Loses so many new commands before it takes them, as an actor that ends does.
  int untaken = 0;
  /// In the order in which they came.
  std::vector<node_command> open;
  std::size_t received = 0;
  /// Command ids of what was taken back, and data of what was put in.
  std::vector<std::string> cancelled;
  std::vector<std::string> inputs;
  std::vector<observer_actor> observers;
  /// How often it was told that credentials changed.
  int changes = 0;
  /// What it tells of its commands.
  latency_distribution latency;
  /// Called with each command that arrives.
  std::function<void(const node_command&)> on_command;

  /// Both answer a command; to be followed by `settle`.
  void finish(std::size_t index = 0, std::uint32_t attempts = 1);
  void fail(error_code code, progress how_far, std::size_t index = 0);

private:
  node_command take(std::size_t index);
};

class simulated_nodes {
public:
  explicit simulated_nodes(settings wanted = default_settings());
  ~simulated_nodes();
  simulated_nodes(const simulated_nodes&) = delete;
  simulated_nodes& operator=(const simulated_nodes&) = delete;

  static settings default_settings();

  /// Starts a node and lets it join; an earlier one of its name goes on without the router.
  simulated_node& join(const std::string& name);
  /// Whether the router let the node go is told once it did.
  std::shared_ptr<bool> leave(const std::string& name);
  /// The node is gone, with all that it had.
  void kill(simulated_node& node);

  std::shared_ptr<pending_answer> request(command what, machine target);
  void cancel(const pending_answer& answer, const std::string& id, machine target);
  /// Any actor of the process cancels by an id; how many commands were cancelled.
  std::optional<std::uint64_t> cancel_everywhere(const std::string& id);
  void input(const pending_answer& answer, const std::string& id, machine target,
             const std::string& data);
  void end_caller(const pending_answer& answer);

  void settle() { scheduler.run(); }

  void pass(caf::timespan time);
  void shut_down();

  /// The node that was given the command with this id last; null when none has it.
  simulated_node* holder(const std::string& command_id);

  std::vector<std::unique_ptr<simulated_node>> all;
  /// Answers to `input`.
  std::vector<caf::expected<caf::unit_t>> input_answers;
  std::vector<execution_record> journal;
  std::vector<caf::actor> callers;

  testing::on_virtual_time<hub_configuration> config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler;
  routing_actor subject;
};

} // namespace sshexec::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::test::node_command)
