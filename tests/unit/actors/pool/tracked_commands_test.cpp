#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

BOOST_FIXTURE_TEST_SUITE(tracked_commands, simulated_pool)

namespace {

command tracked_command() {
  command result = simulated_pool::some_command();
  result.tracked = true;
  result.timeout = 1s;
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_tracked_command_is_killed_over_a_second_channel) {
  network.on_start = start_only;
  const auto answer = request(tracked_command());
  const ssh::exec_id id = connection().started.at(0).first;
  const ssh::exec_request sent = connection().started.at(0).second;
  BOOST_TEST(sent.tracked.has_value());
  connection().emit(ev::tracked{id, 4711});
  settle();
  pass(1s);
  BOOST_REQUIRE(connection().started.size() == 2);
  const ssh::exec_id hunter = connection().started.at(1).first;
  const ssh::exec_request hunt = connection().started.at(1).second;
  BOOST_TEST(hunt.command.find("4711") != std::string::npos);
  ssh::exec_outcome killed;
  killed.exit_signal = "TERM";
  connection().end(id, killed);
  settle();
  BOOST_TEST(!answer->arrived());
  connection().finish(hunter, 0, "killed\n");
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::killed));
}

BOOST_AUTO_TEST_CASE(survivors_of_a_tracked_command_are_told) {
  network.on_start = start_only;
  const auto answer = request(tracked_command());
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  connection().finish(connection().started.at(1).first, 0, "survivors 12 13\n");
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::survivors));
  BOOST_TEST(answer->what().message.find("12") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hunt_that_reports_nothing_leaves_the_end_unknown) {
  network.on_start = start_only;
  const auto answer = request(tracked_command());
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  pass(1min);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::unknown));
}

BOOST_AUTO_TEST_CASE(a_full_connection_keeps_a_channel_to_kill_by) {
  network.on_start = start_only;
  request(tracked_command());
  for (int i = 0; i < 20; ++i)
    request(some_command());
  BOOST_TEST(connection().started.size() == 9U);
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  BOOST_REQUIRE(connection().started.size() == 10);
  BOOST_TEST(connection().started.at(9).second.command.find("4711") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hunt_whose_channel_is_refused_gets_the_next_one) {
  network.on_start = start_only;
  request(tracked_command());
  const auto neighbour = request(some_command());
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  const std::size_t before = connection().started.size();
  connection().emit(ev::channel_refused{connection().started.back().first, 2});
  connection().finish(connection().started.at(1).first, 0);
  settle();
  BOOST_TEST(neighbour->result.has_value());
  BOOST_REQUIRE(connection().started.size() == before + 1);
  BOOST_TEST(connection().started.back().second.command.find("4711") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
