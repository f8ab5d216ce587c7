#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

using pool_of_an_hour = special_pool<[](settings& x) {
  x.max_connection_age = 1h;
  x.idle_timeout = 10h;
  x.keepalive_interval = 10h;
}>;

} // namespace

BOOST_AUTO_TEST_SUITE(connections_over_time)

BOOST_FIXTURE_TEST_CASE(an_old_connection_is_replaced_when_no_command_runs, pool_of_an_hour) {
  network.on_start = succeed_at_once;
  request(some_command());
  pass(1h - 1ns);
  request(some_command());
  BOOST_TEST(network.dialed == 1U);
  pass(1ns);
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(network.dialed == 2U);
  BOOST_TEST(network.alive.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_old_connection_stays_while_a_command_runs_on_it, pool_of_an_hour) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 3h;
  const auto answer = request(what);
  pass(2h);
  request(some_command());
  BOOST_TEST(network.dialed == 1U);
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
