#include "two_nodes.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(all_commands_of_a_machine_go_to_one_node, two_nodes) {
  for (int i = 0; i < 10; ++i)
    request(command_called("c"), target);
  BOOST_TEST(first.open.size() == 10U);
  BOOST_TEST(second.open.empty());
}

BOOST_FIXTURE_TEST_CASE(machines_are_spread_over_all_nodes, two_nodes) {
  for (int i = 0; i < 40; ++i)
    request(command_called("c"), machine_called("machine-" + std::to_string(i)));
  BOOST_TEST(first.open.size() > 10U);
  BOOST_TEST(second.open.size() > 10U);
}

BOOST_FIXTURE_TEST_CASE(a_machine_without_id_is_known_by_all_its_fields, two_nodes) {
  std::map<std::string, int> seen;
  for (int i = 0; i < 20; ++i) {
    machine without;
    without.hostname = "host";
    without.identity_file = "key-" + std::to_string(i);
    request(command_called("c"), without);
  }
  BOOST_TEST(first.open.size() > 0U);
  BOOST_TEST(second.open.size() > 0U);
}

BOOST_FIXTURE_TEST_CASE(a_machine_without_user_is_the_one_with_the_default_user, two_nodes) {
  for (int i = 0; i < 20; ++i) {
    machine implicit;
    implicit.hostname = "host-" + std::to_string(i);
    machine explicit_ = implicit;
    explicit_.username = "admin";
    request(command_called("c" + std::to_string(i)), implicit);
    request(command_called("d" + std::to_string(i)), explicit_);
    BOOST_REQUIRE(holder("c" + std::to_string(i)) == holder("d" + std::to_string(i)));
  }
}

BOOST_FIXTURE_TEST_CASE(an_answer_arrives_unchanged, two_nodes) {
  const auto answer = request(command_called("c"), target);
  first.finish(0, 3);
  settle();
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->output.stdout_data == "first");
  BOOST_TEST(answer->result->attempts == 3U);
  BOOST_TEST(answer->count == 1);
}

BOOST_FIXTURE_TEST_CASE(a_machines_failure_arrives_unchanged_and_is_not_repeated, two_nodes) {
  const auto answer = request(command_called("c"), target);
  first.fail(error_code::connection_error, progress::may_have_run);
  settle();
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST(answer->what().message == "a node's failure");
  BOOST_TEST(first.received + second.received == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_node_a_request_fails_at_once) {
  simulated_nodes nodes;
  const auto answer = nodes.request(command_called("c"), machine_called("m"));
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::not_started));
  BOOST_TEST(answer->what().machine == "admin@host:22");
  BOOST_REQUIRE(nodes.journal.size() == 1U);
  BOOST_TEST((nodes.journal[0].outcome == error_code::connection_error));
}

BOOST_AUTO_TEST_SUITE_END()
