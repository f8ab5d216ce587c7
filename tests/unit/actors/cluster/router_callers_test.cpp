#include "two_nodes.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sshexec;
using namespace sshexec::test;

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(a_caller_cancels_its_own_commands_only, two_nodes) {
  const auto mine = request(command_called("c"), target);
  const auto other = request(command_called("c"), target);
  const auto another_id = request(command_called("d"), target);
  cancel(*mine, "c", target);
  BOOST_TEST(mine->failed_with(error_code::cancelled));
  BOOST_TEST(!other->arrived());
  BOOST_TEST(!another_id->arrived());
  BOOST_TEST(first.cancelled.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_id_means_the_commands_of_all_callers_on_all_nodes, two_nodes) {
  const auto here = request(command_called("c"), target);
  const auto there = request(command_called("c"), machine_of("second"));
  const auto another_id = request(command_called("d"), target);
  BOOST_TEST(cancel_everywhere("c").value() == 2U);
  BOOST_TEST(here->failed_with(error_code::cancelled));
  BOOST_TEST(there->failed_with(error_code::cancelled));
  BOOST_TEST(!another_id->arrived());
  BOOST_TEST(cancel_everywhere("c").value() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_is_being_cancelled_is_not_counted_again, two_nodes) {
  const auto answer = request(command_called("c"), target);
  first.ends_cancelled = false;
  BOOST_TEST(cancel_everywhere("c").value() == 1U);
  BOOST_TEST(cancel_everywhere("c").value() == 0U);
  BOOST_TEST(!answer->arrived());
}

BOOST_FIXTURE_TEST_CASE(a_command_without_an_id_gets_one_that_its_node_knows_too, two_nodes) {
  const auto answer = request(command_called(""), target);
  const std::string id = first.open.at(0).command.id;
  BOOST_TEST(id.starts_with('#'));
  BOOST_TEST(cancel_everywhere(id).value() == 1U);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
  const auto again = request(command_called(""), target);
  BOOST_TEST(first.open.at(0).command.id != id);
  cancel(*again, "", target);
  BOOST_TEST(again->failed_with(error_code::cancelled));
}

BOOST_FIXTURE_TEST_CASE(a_cancel_follows_the_command_to_its_next_node, two_nodes) {
  const auto answer = request(command_called("c"), target);
  kill(first);
  cancel(*answer, "c", target);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
  BOOST_TEST(second.cancelled.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_cancel_reaches_the_node_that_runs_the_command_after_another_joined,
                        simulated_nodes) {
  simulated_node& second = join("second");
  const machine target = two_nodes().machine_of("first");
  const auto answer = request(command_called("c"), target);
  join("first");
  cancel(*answer, "c", target);
  BOOST_TEST(second.cancelled.size() == 1U);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
}

BOOST_FIXTURE_TEST_CASE(a_command_that_waits_for_a_node_can_be_cancelled, two_nodes) {
  request(command_called("c1"), target);
  leave("first");
  const auto answer = request(command_called("c2"), target);
  cancel(*answer, "c2", target);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
  BOOST_TEST((answer->what().progress == progress::not_started));
  first.finish();
  settle();
  BOOST_TEST(second.received == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_command_is_not_repeated_when_its_node_dies, two_nodes) {
  first.on_command = [this](const node_command&) {};
  command stubborn = command_called("c");
  const auto answer = request(stubborn, target);
  // The node dies before it hears of the cancel.
  caf::anon_send_exit(first.executor, caf::exit_reason::kill);
  cancel(*answer, "c", target);
  BOOST_TEST(answer->arrived());
  BOOST_TEST(second.received <= 1U);
  BOOST_TEST(second.open.empty());
}

BOOST_FIXTURE_TEST_CASE(the_commands_of_a_caller_that_ends_are_cancelled, two_nodes) {
  const auto answer = request(command_called("c"), target);
  end_caller(*answer);
  BOOST_TEST(first.cancelled.size() == 1U);
  BOOST_TEST(first.open.empty());
}

BOOST_FIXTURE_TEST_CASE(a_command_that_outlives_its_caller_goes_on_and_keeps_its_machine,
                        two_nodes) {
  command lasting = command_called("c1");
  lasting.outlives_caller = true;
  const auto answer = request(lasting, target);
  end_caller(*answer);
  BOOST_TEST(first.open.size() == 1U);
  leave("first");
  request(command_called("c2"), target);
  BOOST_TEST(!holder("c2"));
  first.finish();
  settle();
  BOOST_TEST(holder("c2") == &second);
}

BOOST_FIXTURE_TEST_CASE(input_reaches_the_node_that_runs_the_command, two_nodes) {
  command open = command_called("c");
  open.stdin_open = true;
  const auto answer = request(open, target);
  input(*answer, "c", target, "one");
  input(*answer, "c", target, "two");
  BOOST_TEST(first.inputs == (std::vector<std::string>{"one", "two"}),
             boost::test_tools::per_element());
  BOOST_REQUIRE(input_answers.size() == 2U);
  BOOST_TEST(static_cast<bool>(input_answers[0]));
}

BOOST_FIXTURE_TEST_CASE(input_for_no_command_is_refused, two_nodes) {
  const auto answer = request(command_called("c"), target);
  input(*answer, "other", target, "one");
  first.finish();
  settle();
  input(*answer, "c", target, "two");
  BOOST_REQUIRE(input_answers.size() == 2U);
  for (const auto& x : input_answers)
    BOOST_TEST(is(x.error(), error_code::invalid_argument));
  BOOST_TEST(first.inputs.empty());
}

BOOST_FIXTURE_TEST_CASE(input_for_a_command_that_waits_reaches_its_node, two_nodes) {
  request(command_called("c1"), target);
  leave("first");
  const auto answer = request(command_called("c2"), target);
  input(*answer, "c2", target, "one");
  BOOST_TEST(input_answers.empty());
  first.finish();
  settle();
  BOOST_TEST(second.inputs.size() == 1U);
  BOOST_TEST(input_answers.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_was_given_input_is_not_repeated, two_nodes) {
  const auto answer = request(command_called("c"), target);
  input(*answer, "c", target, "one");
  kill(first);
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST(second.received == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
