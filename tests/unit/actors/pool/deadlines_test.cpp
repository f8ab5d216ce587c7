#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(deadlines, simulated_pool)

BOOST_AUTO_TEST_CASE(a_deadline_counts_the_time_of_retries) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  command what = some_command();
  what.deadline = 2s;
  const auto answer = request(what);
  pass(2s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().progress == progress::not_started));
  BOOST_TEST(answer->what().message.find("while it waited") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_deadline_counts_the_time_of_connecting) {
  network.on_dial = [](simulated_connection&) {};
  command what = some_command();
  what.deadline = 2s;
  const auto answer = request(what);
  pass(2s);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST(answer->what().times.connect == 2s);
}

BOOST_AUTO_TEST_CASE(a_command_that_runs_at_its_deadline_is_killed) {
  network.on_start = start_only;
  command what = some_command();
  what.deadline = 2s;
  const auto answer = request(what);
  pass(2s);
  BOOST_REQUIRE(connection().signals.size() == 1);
  BOOST_TEST(connection().signals[0].second == "TERM");
  ssh::exec_outcome killed;
  killed.exit_signal = "TERM";
  connection().end(connection().started.at(0).first, killed);
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::signalled));
}

BOOST_AUTO_TEST_CASE(a_deadline_of_nothing_is_senseless) {
  command what = some_command();
  what.deadline = 0s;
  BOOST_TEST(request(what)->failed_with(error_code::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()
