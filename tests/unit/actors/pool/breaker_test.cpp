#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

using pool_with_breaker = special_pool<[](settings& x) {
  x.breaker_threshold = 2;
  x.breaker_pause = 30s;
  x.retry_delays = {1s};
}>;

} // namespace

BOOST_AUTO_TEST_SUITE(connections_over_time)

BOOST_FIXTURE_TEST_CASE(a_machine_that_failed_again_and_again_is_left_alone_for_a_while,
                        pool_with_breaker) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  for (int round = 0; round < 2; ++round) {
    const auto answer = request(some_command());
    pass(1s);
    BOOST_TEST(answer->failed_with(error_code::connection_error));
  }
  BOOST_TEST(network.dialed == 4U);
  const auto refused = request(some_command());
  BOOST_TEST(refused->failed_with(error_code::connection_error));
  BOOST_TEST((refused->what().fault == connection_fault::refused));
  BOOST_TEST(network.dialed == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_machine_that_is_left_alone_keeps_nobody_waiting, pool_with_breaker) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  request(some_command());
  pass(1s);
  const auto given_up = request(some_command());
  const auto has_attempts_left = request(some_command());
  pass(1s);
  BOOST_TEST(given_up->what().attempts == 2U);
  BOOST_TEST(has_attempts_left->failed_with(error_code::connection_error));
  BOOST_TEST(has_attempts_left->what().attempts == 1U);
}

BOOST_FIXTURE_TEST_CASE(one_attempt_decides_whether_the_machine_is_left_alone_again,
                        pool_with_breaker) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  for (int round = 0; round < 2; ++round) {
    request(some_command());
    pass(1s);
  }
  pass(30s);
  BOOST_TEST(request(some_command())->what().attempts == 1U);
  BOOST_TEST(network.dialed == 5U);
  BOOST_TEST(request(some_command())->arrived());
  BOOST_TEST(network.dialed == 5U);
  pass(30s);
  network.on_dial = nullptr;
  network.on_start = succeed_at_once;
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(network.dialed == 6U);
}

BOOST_AUTO_TEST_SUITE_END()
