#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

using draining_pool = special_pool<[](settings& x) { x.drain_timeout = 20s; }>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(shutting_down, simulated_pool)

BOOST_AUTO_TEST_CASE(shutting_down_kills_running_commands_and_waits_for_their_end) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  begin_shutdown();
  BOOST_TEST(!answer->arrived());
  BOOST_REQUIRE(connection().signals.size() == 1);
  connection().finish(connection().started[0].first, 1);
  settle();
  BOOST_REQUIRE(answer->failed_with(error_code::shutting_down));
  BOOST_TEST((answer->what().termination == termination::signalled));
  BOOST_TEST(system.registry().running() == 0U);
}

BOOST_AUTO_TEST_CASE(a_request_after_the_beginning_of_a_shutdown_is_refused) {
  network.on_start = start_only;
  request(some_command());
  begin_shutdown();
  BOOST_TEST(request(some_command())->failed_with(error_code::shutting_down));
}

BOOST_AUTO_TEST_CASE(commands_go_on_when_the_last_handle_of_the_executor_is_dropped) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  auto& link = connection();
  registry = nullptr;
  settle();
  BOOST_TEST(!answer->arrived());
  link.finish(link.started[0].first, 0);
  settle();
  BOOST_TEST(answer->result.has_value());
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(system.registry().running() == 0U);
}

BOOST_AUTO_TEST_CASE(an_executor_that_is_killed_leaves_nothing_behind) {
  network.on_start = start_only;
  const auto running = request(some_command());
  network.on_dial = [](simulated_connection&) {};
  const auto connecting = request(some_command(), some_machine("connecting"));
  caf::anon_send_exit(registry, caf::exit_reason::kill);
  settle();
  BOOST_TEST(connecting->failed_with(error_code::shutting_down));
  pass(2s);
  pass(2s);
  BOOST_TEST(running->failed_with(error_code::shutting_down));
  registry = nullptr;
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(system.registry().running() == 0U);
}

BOOST_AUTO_TEST_CASE(shutting_down_answers_every_open_request_and_leaves_no_actor) {
  network.on_start = start_only;
  std::vector<std::shared_ptr<pending_answer>> answers;
  for (int i = 0; i < 15; ++i)
    answers.push_back(request(some_command()));
  network.on_dial = [](simulated_connection&) {};
  answers.push_back(request(some_command(), some_machine("connecting")));
  network.on_dial = refuse_connection;
  answers.push_back(request(some_command(), some_machine("backing-off")));
  shut_down();
  for (const auto& answer : answers) {
    BOOST_TEST(answer->count == 1);
    BOOST_TEST(answer->failed_with(error_code::shutting_down));
  }
  BOOST_TEST(system.registry().running() == 0U);
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(journal.size() == answers.size());
}

BOOST_FIXTURE_TEST_CASE(a_draining_executor_lets_running_commands_finish, draining_pool) {
  network.on_start = start_only;
  const auto running = request(some_command());
  network.on_start = nullptr;
  const auto opening = request(some_command());
  begin_shutdown();
  BOOST_TEST(opening->failed_with(error_code::shutting_down));
  pass(20s - 1ns);
  BOOST_TEST(connection().signals.empty());
  connection().finish(connection().started[0].first, 0);
  settle();
  BOOST_TEST(running->result.has_value());
  BOOST_TEST(system.registry().running() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_draining_executor_ends_what_takes_too_long, draining_pool) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  begin_shutdown();
  pass(20s);
  BOOST_TEST(connection().signals.size() == 1U);
  pass(2s);
  pass(2s);
  BOOST_TEST(answer->failed_with(error_code::shutting_down));
  BOOST_TEST(system.registry().running() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_second_exit_message_ends_the_draining, draining_pool) {
  network.on_start = start_only;
  request(some_command());
  begin_shutdown();
  BOOST_TEST(connection().signals.empty());
  begin_shutdown();
  BOOST_TEST(connection().signals.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_draining_executor_repeats_no_command, draining_pool) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  begin_shutdown();
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  BOOST_TEST(network.dialed == 1U);
  BOOST_TEST(system.registry().running() == 0U);
}
BOOST_AUTO_TEST_SUITE_END()
