#include "two_nodes.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(a_router_that_ends_answers_and_its_nodes_cancel, two_nodes) {
  const auto answer = request(command_called("c1"), target);
  leave("first");
  const auto waiting = request(command_called("c2"), target);
  shut_down();
  BOOST_TEST(answer->failed_with(error_code::shutting_down));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  BOOST_TEST(waiting->failed_with(error_code::shutting_down));
  BOOST_TEST((waiting->what().progress == progress::not_started));
  BOOST_TEST(first.open.empty());
}

BOOST_AUTO_TEST_CASE(a_router_that_is_killed_leaves_no_request_unanswered) {
  two_nodes nodes;
  const auto answer = nodes.request(command_called("c"), nodes.target);
  caf::anon_send_exit(nodes.subject, caf::exit_reason::kill);
  nodes.settle();
  BOOST_TEST(answer->failed_with(error_code::shutting_down));
  BOOST_TEST(nodes.first.open.empty());
}

BOOST_AUTO_TEST_CASE(a_router_that_drains_lets_commands_end) {
  settings patient = simulated_nodes::default_settings();
  patient.drain_timeout = 10s;
  simulated_nodes nodes{patient};
  simulated_node& node = nodes.join("node");
  const auto quick = nodes.request(command_called("c1"), machine_called("m"));
  const auto slow = nodes.request(command_called("c2"), machine_called("m"));
  caf::anon_send_exit(nodes.subject, caf::exit_reason::user_shutdown);
  nodes.settle();
  const auto late = nodes.request(command_called("c3"), machine_called("m"));
  BOOST_TEST(late->failed_with(error_code::shutting_down));
  node.finish();
  nodes.pass(9999ms);
  BOOST_TEST(quick->result.has_value());
  BOOST_TEST(!slow->arrived());
  nodes.pass(1ms);
  BOOST_TEST(slow->failed_with(error_code::shutting_down));
}

BOOST_AUTO_TEST_SUITE_END()
