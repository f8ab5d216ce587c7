#include "two_nodes.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(a_busy_machine_stays_where_it_is_when_its_new_owner_joins,
                        simulated_nodes) {
  simulated_node& second = join("second");
  const machine target = two_nodes().machine_of("first");
  request(command_called("c1"), target);
  simulated_node& first = join("first");
  request(command_called("c2"), target);
  BOOST_TEST(second.open.size() == 2U);
  second.finish();
  settle();
  request(command_called("c3"), target);
  BOOST_TEST(second.open.size() == 2U);
  second.finish();
  second.finish();
  settle();
  request(command_called("c4"), target);
  BOOST_TEST(first.open.size() == 1U);
  BOOST_TEST(second.open.empty());
}

BOOST_FIXTURE_TEST_CASE(a_leaving_node_ends_what_it_has_and_new_commands_wait_for_that, two_nodes) {
  request(command_called("c1"), target);
  const auto left = leave("first");
  const auto answer = request(command_called("c2"), target);
  BOOST_TEST(!*left);
  BOOST_TEST(!holder("c2"));
  first.finish();
  settle();
  BOOST_TEST(*left);
  BOOST_TEST(holder("c2") == &second);
  second.finish();
  settle();
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(an_idle_node_leaves_at_once, two_nodes) {
  BOOST_TEST(*leave("first"));
  BOOST_TEST(*leave("nobody"));
  request(command_called("c"), target);
  BOOST_TEST(second.open.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_node_that_left_may_die_without_harm, two_nodes) {
  BOOST_TEST(*leave("first"));
  const auto answer = request(command_called("c"), target);
  kill(first);
  BOOST_TEST(!answer->arrived());
  BOOST_TEST(holder("c") == &second);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_waits_for_a_leaving_node_keeps_its_deadline, two_nodes) {
  request(command_called("c1"), target);
  leave("first");
  command urgent = command_called("c2");
  urgent.deadline = 5s;
  const auto answer = request(urgent, target);
  pass(4999ms);
  BOOST_TEST(!answer->arrived());
  pass(1ms);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().progress == progress::not_started));
  first.finish();
  settle();
  BOOST_TEST(second.received == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_time_that_a_command_waited_counts_against_its_deadline, two_nodes) {
  request(command_called("c1"), target);
  leave("first");
  command urgent = command_called("c2");
  urgent.deadline = 5s;
  request(urgent, target);
  pass(2s);
  first.finish();
  settle();
  BOOST_REQUIRE(second.open.size() == 1U);
  BOOST_TEST((*second.open[0].command.deadline == caf::timespan{3s}));
}

BOOST_FIXTURE_TEST_CASE(a_command_that_a_closing_node_refuses_goes_to_another, two_nodes) {
  first.closing = true;
  const auto answer = request(command_called("c1"), target);
  BOOST_TEST(!answer->arrived());
  BOOST_TEST(holder("c1") == &second);
  request(command_called("c2"), target);
  BOOST_TEST(first.received == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_refused_command_waits_until_the_closing_node_is_done_with_its_machine,
                        two_nodes) {
  request(command_called("c1"), target);
  first.closing = true;
  const auto answer = request(command_called("c2"), target);
  BOOST_TEST(!holder("c2"));
  first.finish();
  settle();
  BOOST_TEST(holder("c2") == &second);
  BOOST_TEST(!answer->arrived());
}

BOOST_FIXTURE_TEST_CASE(a_command_that_a_node_lost_before_it_took_it_is_placed_again_at_once,
                        two_nodes) {
  first.untaken = 1;
  const auto answer = request(command_called("c1", retry_policy::never), target);
  BOOST_TEST(!answer->arrived());
  BOOST_TEST(holder("c1") == &first);
  first.finish();
  settle();
  BOOST_TEST(answer->result.has_value());

  first.untaken = 100;
  const auto other = request(command_called("c2", retry_policy::never), target);
  BOOST_TEST(!other->arrived());
  BOOST_TEST(holder("c2") == &second);
  BOOST_TEST(first.untaken == 98);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_no_node_took_is_told_as_not_started, simulated_nodes) {
  join("only").untaken = 100;
  const auto answer = request(command_called("c", retry_policy::never), machine_called("machine"));
  BOOST_TEST(answer->failed_with(error_code::shutting_down));
  BOOST_TEST((answer->what().progress == progress::not_started));
}

BOOST_AUTO_TEST_CASE(a_closing_node_that_is_the_only_one_refuses_for_good) {
  simulated_nodes nodes;
  nodes.join("only").closing = true;
  const auto answer = nodes.request(command_called("c"), machine_called("m"));
  BOOST_TEST(answer->failed_with(error_code::shutting_down));
}

BOOST_FIXTURE_TEST_CASE(a_node_of_the_same_name_replaces_the_earlier_one, two_nodes) {
  request(command_called("c1"), target);
  simulated_node& again = join("first");
  BOOST_TEST(holder("c1") == &again);
  request(command_called("c2"), target);
  BOOST_TEST(holder("c2") == &again);
  // The death of the earlier one means nothing any more.
  kill(first);
  BOOST_TEST(again.open.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_leaving_node_may_join_again, two_nodes) {
  request(command_called("c1"), target);
  const auto left = leave("first");
  caf::anon_send(subject, join_atom_v, "first", executor_actor{first.executor});
  settle();
  request(command_called("c2"), target);
  BOOST_TEST(holder("c2") == &first);
  BOOST_TEST(!*left);
}

BOOST_AUTO_TEST_SUITE_END()
