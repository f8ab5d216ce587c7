#include "two_nodes.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

using namespace sshexec;
using namespace sshexec::test;

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(observers_are_told_by_every_node_also_by_one_that_joins_later, two_nodes) {
  const auto observer
    = system.spawn([]() -> observer_actor::behavior_type { return {[](const pool_event&) {}}; });
  caf::anon_send(subject, subscribe_atom_v, observer);
  settle();
  join("third");
  for (const auto& node : all)
    BOOST_TEST(node->observers.size() == 1U);
  caf::anon_send(subject, unsubscribe_atom_v, observer);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->observers.empty());
}

BOOST_FIXTURE_TEST_CASE(an_observer_that_ends_and_a_node_that_leaves_part, two_nodes) {
  const auto observe = [this] {
    const observer_actor who
      = system.spawn([]() -> observer_actor::behavior_type { return {[](const pool_event&) {}}; });
    caf::anon_send(subject, subscribe_atom_v, who);
    settle();
    return who;
  };
  const auto one = observe();
  const auto other = observe();
  // Nodes know nobody whose end they might not hear of.
  for (const auto& node : all)
    BOOST_TEST(std::count(node->observers.begin(), node->observers.end(), one) == 0);
  caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->observers.size() == 1U);
  BOOST_TEST(*leave("first"));
  BOOST_TEST(first.observers.empty());
  // One that another of its name replaced lives on.
  join("second");
  BOOST_TEST(second.observers.empty());
  caf::anon_send_exit(other, caf::exit_reason::user_shutdown);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->observers.empty());
}

BOOST_FIXTURE_TEST_CASE(every_node_is_told_that_credentials_changed, two_nodes) {
  caf::anon_send(subject, changed_atom_v, machine_called("m"));
  caf::anon_send(subject, changed_atom_v);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->changes == 2);
}

BOOST_FIXTURE_TEST_CASE(the_status_is_that_of_all_nodes_together, two_nodes) {
  request(command_called("one"), machine_of("first"));
  request(command_called("two"), machine_of("second"));
  first.latency.counts = {1, 2};
  second.latency.counts = {0, 3, 4};
  executor_status status;
  system.spawn([&](caf::event_based_actor* self) {
    self->request(subject, caf::infinite, status_atom_v).then([&](executor_status& x) {
      status = std::move(x);
    });
  });
  settle();
  BOOST_TEST(status.requests == 2U);
  BOOST_TEST((status.latency == latency_distribution{{1, 5, 4}}));
}

BOOST_AUTO_TEST_SUITE_END()
