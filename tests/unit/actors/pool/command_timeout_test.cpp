#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(supervisor, simulated_pool)

BOOST_AUTO_TEST_CASE(a_command_beyond_its_timeout_gets_term_then_kill_then_its_channel_closed) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  auto& link = connection();
  link.answers_keepalives = true;
  pass(30s - 1ns);
  BOOST_TEST(link.signals.empty());
  pass(1ns);
  BOOST_REQUIRE(link.signals.size() == 1);
  BOOST_TEST(link.signals[0].second == "TERM");
  pass(2s);
  BOOST_REQUIRE(link.signals.size() == 2);
  BOOST_TEST(link.signals[1].second == "KILL");
  BOOST_TEST(!answer->arrived());
  link.partial.stderr_data = "partial";
  pass(2s);
  BOOST_TEST(link.abandoned.size() == 1U);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::unknown));
  BOOST_TEST(answer->what().output.stderr_data == "partial");
}

BOOST_AUTO_TEST_CASE(a_timeout_whose_end_the_server_tells_says_so_and_no_more) {
  network.on_start = start_only;
  command brief = some_command();
  brief.timeout = 1s;
  const auto answer = request(brief);
  pass(1s);
  ssh::exec_outcome outcome;
  outcome.exit_signal = "TERM";
  outcome.stdout_data = "so far";
  connection().end(connection().started[0].first, outcome);
  settle();
  BOOST_REQUIRE(answer->error);
  BOOST_TEST((answer->what().termination == termination::signalled));
  BOOST_TEST(answer->what().output.stdout_data == "so far");
}

BOOST_AUTO_TEST_SUITE_END()
