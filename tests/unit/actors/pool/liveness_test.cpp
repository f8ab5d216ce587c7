#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(supervisor, simulated_pool)

BOOST_AUTO_TEST_CASE(an_idle_connection_is_given_up_30_silent_seconds_after_its_last_sign_of_life) {
  network.on_start = succeed_at_once;
  request(some_command());
  auto& link = connection();
  pass(5s);
  link.hear();
  settle();
  pass(30s - 1ns);
  BOOST_TEST(network.alive.size() == 1U);
  BOOST_TEST(link.keepalives == 2U);
  pass(1ns);
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(a_running_command_is_told_after_30_seconds_that_its_server_is_silent) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 1h;
  what.retry = retry_policy::never;
  const auto answer = request(what);
  pass(30s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_REQUIRE(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().fault == connection_fault::timed_out));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
}

BOOST_AUTO_TEST_CASE(a_dead_connection_of_the_pool_costs_a_caller_no_more_than_its_bound) {
  network.on_start = succeed_at_once;
  request(some_command());
  pass(25s);
  network.on_start = nullptr;
  command what = some_command();
  const auto answer = request(what);
  network.on_start = succeed_at_once;
  pass(5s);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_peer_that_answers_is_not_given_up) {
  network.on_start = succeed_at_once;
  request(some_command());
  connection().answers_keepalives = true;
  pass(4min);
  BOOST_TEST(network.alive.size() == 1U);
  BOOST_TEST(connection().keepalives == 24U);
}

BOOST_AUTO_TEST_CASE(a_connection_with_traffic_is_not_asked_for_a_sign_of_life) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 1h;
  request(what);
  for (int i = 0; i < 20; ++i) {
    pass(9s);
    connection().hear();
    settle();
  }
  BOOST_TEST(connection().keepalives == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
