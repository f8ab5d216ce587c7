#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

using forgetful_pool = special_pool<[](settings& x) { x.idle_timeout = 1ms; }>;

/// The supervisor of a pool that has only one.
caf::actor_addr supervisor_of(const registry_actor& registry) {
  using actor = registry_actor::stateful_base<pool_registry_state>;
  const auto* const pool = dynamic_cast<actor*>(caf::actor_cast<caf::abstract_actor*>(registry));
  return pool->state.supervisors.begin()->first;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(supervisor, simulated_pool)

BOOST_AUTO_TEST_CASE(after_5_idle_minutes_the_connection_is_closed_and_the_supervisor_gone) {
  network.on_start = succeed_at_once;
  const auto before = system.registry().running();
  request(some_command());
  connection().answers_keepalives = true;
  BOOST_TEST(system.registry().running() == before + 1);
  pass(5min - 1ns);
  BOOST_TEST(network.alive.size() == 1U);
  pass(1ns);
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(system.registry().running() == before);
  const auto next = request(some_command());
  BOOST_REQUIRE(next->result);
  BOOST_TEST(next->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_command_that_arrives_during_the_expiry_is_not_lost) {
  network.on_start = succeed_at_once;
  request(some_command());
  connection().answers_keepalives = true;
  pass(290s);
  // The tick is in the supervisor's mailbox, and the command is sent before it is handled.
  scheduler.advance_time(10s);
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(network.alive.size() == 1U);
  const auto next = request(some_command());
  BOOST_TEST(next->result.has_value());
}

BOOST_AUTO_TEST_CASE(descriptors_that_run_short_are_taken_from_the_longest_idle) {
  network.on_start = start_only;
  const auto busy = request(some_command(), some_machine("busy"));
  network.on_start = succeed_at_once;
  network.on_dial = [](simulated_connection& x) {
    x.answers_keepalives = true;
    x.emit(ssh::event::authenticated{});
  };
  for (int i = 0; i < 10; ++i) {
    request(some_command(), some_machine(std::to_string(i)));
    pass(1s);
  }
  network.on_dial = [](simulated_connection& x) {
    x.emit(ssh::event::transport_connected{.descriptors_run_short = true});
    x.emit(ssh::event::authenticated{});
  };
  const auto last = request(some_command(), some_machine("last"));
  BOOST_TEST(last->result.has_value());
  // The one that is busy, machines 7 to 9, and the last.
  BOOST_TEST(network.alive.size() == 5U);
  BOOST_TEST(!busy->arrived());
  network.on_dial = nullptr;
  const auto dialed = network.dialed;
  BOOST_TEST(request(some_command(), some_machine("9"))->result.has_value());
  BOOST_TEST(network.dialed == dialed);
  BOOST_TEST(request(some_command(), some_machine("0"))->result.has_value());
  BOOST_TEST(network.dialed == dialed + 1);
}

// Deadlines of its past are still to come then: the tool meets a hundred thousand machines in
// seconds.
BOOST_FIXTURE_TEST_CASE(a_supervisor_that_has_ended_leaves_memory_at_once, forgetful_pool) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  const caf::actor_addr supervisor = supervisor_of(registry);
  BOOST_TEST((caf::actor_cast<caf::strong_actor_ptr>(supervisor) != nullptr));
  connection().finish(connection().started.at(0).first, 0);
  scheduler.run();
  BOOST_TEST(answer->result.has_value());
  pass(1ms);
  BOOST_TEST(network.alive.empty());
  BOOST_TEST((caf::actor_cast<caf::strong_actor_ptr>(supervisor) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
