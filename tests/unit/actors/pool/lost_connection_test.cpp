#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(supervisor, simulated_pool)

BOOST_AUTO_TEST_CASE(a_connection_lost_during_a_command_is_followed_by_its_retry) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_TEST(network.dialed == 1U);
  network.on_start = succeed_at_once;
  pass(1s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 2U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_command_that_may_have_run_is_not_repeated_when_told_so) {
  network.on_start = start_only;
  command careful = some_command();
  careful.retry = retry_policy::only_if_not_started;
  const auto answer = request(careful);
  connection().partial.stdout_data = "half";
  connection().partial.stdout_bytes = 4;
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  BOOST_TEST(answer->what().output.stdout_data == "half");
}

BOOST_AUTO_TEST_CASE(a_pooled_connection_found_dead_is_replaced_at_once_and_costs_no_attempt) {
  network.on_start = succeed_at_once;
  request(some_command());
  network.on_start = nullptr;
  const auto answer = request(some_command());
  BOOST_REQUIRE(connection().started.size() == 2);
  network.on_start = succeed_at_once;
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_that_drops_every_new_connection_is_not_hammered) {
  network.on_start = [](simulated_connection& connection, ssh::exec_id) {
    connection.lose(ssh::error_kind::dropped);
  };
  const auto answer = request(some_command());
  BOOST_TEST(network.dialed == 1U);
  pass(1s);
  BOOST_TEST(network.dialed == 2U);
  pass(2s);
  pass(4s);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(network.dialed == 4U);
  BOOST_TEST(answer->what().attempts == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
