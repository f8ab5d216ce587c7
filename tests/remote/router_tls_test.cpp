#include "nodes.hpp"
#include "sshexec/actors/cluster/rendezvous.hpp"
#include "sshexec/actors/cluster/router.hpp"
#include "sshexec/actors/remote/connect_node.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// A router in an actor system of its own.
class router_node {
public:
  router_node() {
    settings wanted;
    wanted.journal = "none";
    auto spawned = spawn_router(system, wanted);
    BOOST_REQUIRE(spawned);
    router = std::move(*spawned);
  }

  router_node(const router_node&) = delete;
  router_node& operator=(const router_node&) = delete;

  ~router_node() { caf::anon_send_exit(router, caf::exit_reason::user_shutdown); }

  void add(const connect_settings& node) {
    BOOST_REQUIRE(connect_node(system, router, node));
    ring.insert(to_string(node.hub));
  }

  /// A machine that belongs to the node when all are there.
  [[nodiscard]] machine owned_by(const connect_settings& node, machine target) const {
    for (int i = 0;; ++i) {
      target.id = "machine-" + std::to_string(i);
      if (*ring.owner(target.id) == to_string(node.hub))
        return target;
    }
  }

  answer run(const machine& target) { return ask(system, router, target, make_command("true")); }

  network_config config;
  caf::actor_system system{config};
  router_actor router;
  rendezvous ring;
};

/// Whether a node has run a command on this machine.
bool has_served(hub_node& node, const machine& target) {
  caf::scoped_actor self{node.system};
  bool result = false;
  self->request(node.executor, caf::infinite, status_atom_v)
    .receive(
      [&](const executor_status& status) {
        result = std::any_of(status.machines.begin(), status.machines.end(),
                             [&](const machine_status& x) { return x.machine.id == target.id; });
      },
      [&](const caf::error& reason) { BOOST_ERROR(node.system.render(reason)); });
  return result;
}

/// Asks until this node serves its machine, so it has joined.
bool run_until_served(router_node& router, hub_node& node, const machine& target) {
  caf::scoped_actor self{router.system};
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
       std::chrono::steady_clock::now() < end;) {
    if (router.run(target).outcome && has_served(node, target))
      return true;
    self->receive(caf::after(std::chrono::milliseconds{10}) >> [] {});
  }
  return false;
}

/// Nodes of one router, with TLS in between.
struct tls_stage : stage {
  testing::temporary_directory other_directory;
  app::authority foreign{directory.path() / "foreign"};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_router_with_tls, tls_stage)

BOOST_AUTO_TEST_CASE(spreads_machines_over_its_nodes) {
  hub_node one{directory, secured()};
  hub_node other{other_directory, secured()};
  router_node router;
  router.add(to(one));
  router.add(to(other));
  const machine first = router.owned_by(to(one), target);
  const machine second = router.owned_by(to(other), target);
  BOOST_TEST(run_until_served(router, one, first));
  BOOST_TEST(run_until_served(router, other, second));
}

BOOST_AUTO_TEST_CASE(refuses_a_node_of_a_foreign_authority_and_leaves_its_machines_to_the_other) {
  publish_settings forged = secured();
  forged.tls = foreign.issue("hub", tls_role::server);
  // So that only the router minds.
  forged.tls.authority = hub_files.authority;
  forged.tls.revocations = hub_files.revocations;
  hub_node stranger{other_directory, forged};
  hub_node good{directory, secured()};
  router_node router;
  router.add(to(stranger));
  router.add(to(good));
  // What the router tells it (RFC 8446 §6.2).
  BOOST_TEST(stranger.refused.wait_for("does not know the authority"));
  const machine wanted = router.owned_by(to(stranger), target);
  BOOST_TEST(run_until_served(router, good, wanted));
  BOOST_TEST(!has_served(stranger, wanted));
}

BOOST_AUTO_TEST_CASE(has_no_node_when_its_own_authority_is_foreign_to_them) {
  hub_node node{directory, secured()};
  connect_settings forged = to(node);
  forged.tls = foreign.issue("client", tls_role::client);
  forged.tls.authority = client_files.authority;
  forged.tls.revocations = client_files.revocations;
  router_node router;
  router.add(forged);
  BOOST_TEST(node.refused.wait_for("the peer's certificate was refused"));
  const answer refused = router.run(target);
  BOOST_TEST(refused.failed_with(error_code::connection_error));
  BOOST_TEST(refused.what().message.find("there is no node") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
