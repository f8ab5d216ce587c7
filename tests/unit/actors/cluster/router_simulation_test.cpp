#include "seeds.hpp"
#include "simulated_nodes.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <type_traits>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

/// Hours in the life of a router whose nodes come, go and die, all decided by one seed. After each
/// step the promises are checked.
class simulation {
public:
  explicit simulation(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int i = pick(20, 120); i > 0; --i) {
      step();
      check();
    }
    if (chance(50)) {
      finish_all();
      BOOST_REQUIRE(subject().machines.empty());
      BOOST_REQUIRE(subject().errands.empty());
      BOOST_REQUIRE(subject().callers.empty());
    }
    nodes_.shut_down();
    check();
    for (const request& x : requests_)
      BOOST_REQUIRE(x.answer->count == (x.orphaned ? 0 : 1));
  }

private:
  struct request {
    std::shared_ptr<pending_answer> answer;
    machine target;
    command what;
    bool cancelled = false;
    bool orphaned = false;
    /// Nodes that began it.
    std::size_t begun = 0;
    /// Whether a node that had it died.
    bool bereaved = false;
  };

  int pick(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }

  bool chance(int percent) { return pick(1, 100) <= percent; }

  router_state& subject() {
    using actor = std::remove_pointer_t<routing_actor::stateful_pointer<router_state>>;
    return dynamic_cast<actor&>(*caf::actor_cast<caf::abstract_actor*>(nodes_.subject)).state;
  }

  void step() {
    switch (pick(0, 13)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return submit();
      case 4:
        return join();
      case 5:
        return leave();
      case 6:
        return kill();
      case 7:
        return close();
      case 8:
        return interfere();
      case 9:
        return nodes_.pass(std::chrono::milliseconds{pick(1, 3000)});
      default:
        return finish();
    }
  }

  void submit() {
    request& x = requests_.emplace_back();
    x.target.id = "machine-" + std::to_string(pick(1, 6));
    x.target.hostname = "host";
    // As the router completes it.
    x.target.username = "admin";
    x.what.line = "true";
    x.what.id = std::to_string(requests_.size() - 1);
    x.what.retry = static_cast<retry_policy>(pick(0, 2));
    x.what.outlives_caller = chance(30);
    if (chance(20))
      x.what.deadline = std::chrono::seconds{pick(1, 5)};
    x.answer = nodes_.request(x.what, x.target);
  }

  void join() {
    const auto name = "node-" + std::to_string(pick(1, 5));
    // The name's earlier node goes first, as its connection does.
    for (const auto& node : nodes_.all) {
      if (node->alive && node->name == name)
        kill(*node);
    }
    simulated_node& added = nodes_.join(name);
    added.on_command = [this, &added](const node_command& what) { begun(added, what); };
  }

  void leave() {
    if (simulated_node* chosen = any_node())
      nodes_.leave(chosen->name);
  }

  void kill() {
    if (simulated_node* chosen = any_node())
      kill(*chosen);
  }

  void kill(simulated_node& node) {
    for (const node_command& x : node.open)
      requests_.at(std::stoul(x.command.id)).bereaved = true;
    nodes_.kill(node);
  }

  /// A node begins to shut down.
  void close() {
    if (simulated_node* chosen = any_node())
      chosen->closing = true;
  }

  void finish() {
    simulated_node* chosen = any_node();
    if (chosen == nullptr || chosen->open.empty())
      return;
    const auto index = static_cast<std::size_t>(pick(0, static_cast<int>(chosen->open.size()) - 1));
    if (chance(80))
      chosen->finish(index);
    else
      chosen->fail(error_code::connection_error, progress::may_have_run, index);
    nodes_.settle();
  }

  void finish_all() {
    for (bool found = true; found;) {
      found = false;
      for (std::size_t i = 0; i < nodes_.all.size(); ++i) {
        while (!nodes_.all[i]->open.empty()) {
          nodes_.all[i]->finish();
          found = true;
        }
      }
      nodes_.settle();
    }
  }

  /// A caller cancels or ends.
  void interfere() {
    if (requests_.empty())
      return;
    const int last = static_cast<int>(requests_.size()) - 1;
    request& chosen = requests_[static_cast<std::size_t>(pick(std::max(0, last - 20), last))];
    if (chosen.answer->arrived() || chosen.orphaned)
      return;
    if (chance(50)) {
      chosen.cancelled = true;
      nodes_.cancel(*chosen.answer, chosen.what.id, chosen.target);
      BOOST_REQUIRE(chosen.answer->failed_with(error_code::cancelled));
    } else {
      chosen.orphaned = true;
      nodes_.end_caller(*chosen.answer);
      BOOST_REQUIRE((chosen.what.outlives_caller || !nodes_.holder(chosen.what.id)));
    }
  }

  simulated_node* any_node() {
    std::vector<simulated_node*> alive;
    for (const auto& node : nodes_.all) {
      if (node->alive)
        alive.push_back(node.get());
    }
    return alive.empty()
             ? nullptr
             : alive.at(static_cast<std::size_t>(pick(0, static_cast<int>(alive.size()) - 1)));
  }

  void begun(const simulated_node& at, const node_command& what) {
    request& x = requests_.at(std::stoul(what.command.id));
    if (x.begun++ > 0 && x.what.retry != retry_policy::always)
      BOOST_ERROR("a command was repeated that must not be");
    if (x.cancelled)
      BOOST_ERROR("a cancelled command was begun");
    for (const auto& other : nodes_.all) {
      if (other.get() == &at || !other->alive)
        continue;
      for (const node_command& y : other->open) {
        if (y.target == what.target)
          BOOST_ERROR("two nodes serve a machine");
      }
    }
  }

  void check() {
    for (const request& x : requests_) {
      BOOST_REQUIRE(x.answer->count <= 1);
      BOOST_REQUIRE(x.begun <= 3);
      // Only the death of a node makes it a second one.
      BOOST_REQUIRE((x.begun <= 1 || x.bereaved));
      if (x.answer->result)
        BOOST_REQUIRE(x.answer->result->attempts == x.begun);
      if (x.answer->error && x.answer->what().progress == progress::not_started)
        BOOST_REQUIRE((x.begun == 0));
    }
  }

  std::mt19937_64 random_;
  std::vector<request> requests_;
  simulated_nodes nodes_;
};

} // namespace

BOOST_AUTO_TEST_CASE(every_promise_holds_while_nodes_come_go_and_die) {
  run_seeds<simulation>(500);
}
