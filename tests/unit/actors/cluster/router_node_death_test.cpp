#include "two_nodes.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sshexec;
using namespace sshexec::test;

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(a_command_of_a_dead_node_runs_again_on_another, two_nodes) {
  const auto answer = request(command_called("c"), target);
  kill(first);
  BOOST_TEST(!answer->arrived());
  BOOST_REQUIRE(holder("c") == &second);
  second.finish();
  settle();
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 2U);
  BOOST_TEST(answer->count == 1);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_must_not_run_twice_fails_with_its_node, two_nodes) {
  for (const auto policy : {retry_policy::only_if_not_started, retry_policy::never}) {
    simulated_node& node = join("first");
    const auto answer = request(command_called("c", policy), target);
    BOOST_REQUIRE(holder("c") == &node);
    kill(node);
    BOOST_TEST(answer->failed_with(error_code::connection_error));
    BOOST_TEST((answer->what().progress == progress::may_have_run));
    BOOST_TEST((answer->what().fault == connection_fault::dropped));
    // A node that lives on ends the command, and nobody hears of it.
    BOOST_TEST((answer->what().termination == termination::unknown));
    BOOST_TEST(answer->what().message == "admin@host:22: node first was lost");
    BOOST_TEST(answer->what().attempts == 1U);
    BOOST_TEST(answer->count == 1);
  }
  BOOST_TEST(second.received == 0U);
  BOOST_TEST(journal.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_command_that_is_there_at_three_deaths_is_not_carried_to_a_fourth_node) {
  simulated_nodes nodes;
  const auto answer = [&] {
    nodes.join("node");
    return nodes.request(command_called("c"), machine_called("m"));
  }();
  for (int deaths = 0; deaths < 3; ++deaths) {
    BOOST_REQUIRE(!answer->arrived());
    nodes.join("next-" + std::to_string(deaths));
    simulated_node* victim = nodes.holder("c");
    BOOST_REQUIRE(victim);
    nodes.kill(*victim);
  }
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST(answer->what().attempts == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_may_have_run_is_never_said_not_to_have_started, two_nodes) {
  const auto answer = request(command_called("c"), target);
  second.closing = true;
  kill(first);
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  BOOST_TEST(answer->what().message == "admin@host:22: node first was lost, and there is no other");

  simulated_node& third = join("third");
  simulated_node& fourth = join("fourth");
  const auto other = request(command_called("d"), target);
  simulated_node& owner = *holder("d");
  kill(owner);
  (&owner == &third ? fourth : third).fail(error_code::authentication_error, progress::not_started);
  settle();
  BOOST_TEST(other->failed_with(error_code::authentication_error));
  BOOST_TEST((other->what().progress == progress::may_have_run));
}

BOOST_AUTO_TEST_CASE(when_the_last_node_dies_its_commands_fail) {
  simulated_nodes nodes;
  simulated_node& only = nodes.join("only");
  const auto answer = nodes.request(command_called("c"), machine_called("m"));
  nodes.kill(only);
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  BOOST_TEST(answer->what().message.find("node only was lost") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_attempts_in_streamed_output_go_on_counting_on_the_next_node,
                        two_nodes) {
  std::vector<std::uint32_t> attempts;
  auto consumer
    = system.spawn([&attempts](output_consumer::pointer) -> output_consumer::behavior_type {
        return {[&attempts](const output_chunk& chunk) { attempts.push_back(chunk.attempt); }};
      });
  command streamed = command_called("c");
  streamed.output_to = consumer;
  const auto answer = request(streamed, target);
  const auto write = [&](const simulated_node& node, std::uint32_t attempt) {
    output_chunk chunk;
    chunk.attempt = attempt;
    caf::anon_send(node.open.at(0).command.output_to, chunk);
    settle();
  };
  write(first, 1);
  write(first, 2);
  kill(first);
  write(second, 1);
  second.finish();
  settle();
  BOOST_TEST(attempts == (std::vector<std::uint32_t>{1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(answer->result->attempts == 3U);
  caf::anon_send_exit(consumer, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_SUITE_END()
