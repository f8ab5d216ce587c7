#include "simulated_nodes.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

machine machine_called(const std::string& id) {
  machine result;
  result.id = id;
  result.hostname = "host";
  return result;
}

command command_called(const std::string& id, retry_policy retry = retry_policy::always) {
  command result;
  result.line = "true";
  result.id = id;
  result.retry = retry;
  return result;
}

/// Two nodes, and a machine that belongs to the first.
struct two_nodes : simulated_nodes {
  simulated_node& first = join("first");
  simulated_node& second = join("second");
  machine target = machine_of("first");

  [[nodiscard]] machine machine_of(const std::string& node) const {
    for (int i = 0;; ++i) {
      const machine candidate = machine_called("machine-" + std::to_string(i));
      if (*subject_ring().owner(candidate.id) == node)
        return candidate;
    }
  }

  [[nodiscard]] static rendezvous subject_ring() {
    rendezvous ring;
    ring.insert("first");
    ring.insert("second");
    return ring;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(router_test)

// -- whose a machine is --------------------------------------------------------------------------

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

// -- nodes come and go ---------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_busy_machine_stays_where_it_is_when_its_new_owner_joins,
                        simulated_nodes) {
  simulated_node& second = join("second");
  const machine target = two_nodes{}.machine_of("first");
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
  caf::anon_send(subject, join_atom::value, "first", executor_actor{first.executor});
  settle();
  request(command_called("c2"), target);
  BOOST_TEST(holder("c2") == &first);
  BOOST_TEST(!*left);
}

// -- a node dies ---------------------------------------------------------------------------------

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
    caf::anon_send(node.open.at(0).command.output_to,
                   output_chunk{"c", output_stream::stdout_stream, attempt, "x"});
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

// -- the caller ----------------------------------------------------------------------------------

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
  const machine target = two_nodes{}.machine_of("first");
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

// -- the end -------------------------------------------------------------------------------------

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

// -- who watches ---------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(observers_are_told_by_every_node_also_by_one_that_joins_later, two_nodes) {
  const auto observer
    = system.spawn([]() -> observer_actor::behavior_type { return {[](const pool_event&) {}}; });
  caf::anon_send(subject, subscribe_atom_v, observer);
  settle();
  join("third");
  for (const auto& node : all)
    BOOST_TEST(node->observers.size() == 1U);
  caf::anon_send(subject, unsubscribe_atom_v, observer);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->observers.empty());
}

BOOST_FIXTURE_TEST_CASE(an_observer_that_ends_and_a_node_that_leaves_part, two_nodes) {
  const auto observe = [this] {
    const observer_actor who
      = system.spawn([]() -> observer_actor::behavior_type { return {[](const pool_event&) {}}; });
    caf::anon_send(subject, subscribe_atom_v, who);
    settle();
    return who;
  };
  const auto one = observe();
  const auto other = observe();
  // Nodes know nobody whose end they might not hear of.
  for (const auto& node : all)
    BOOST_TEST(std::count(node->observers.begin(), node->observers.end(), one) == 0);
  caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->observers.size() == 1U);
  BOOST_TEST(*leave("first"));
  BOOST_TEST(first.observers.empty());
  // One that another of its name replaced lives on.
  join("second");
  BOOST_TEST(second.observers.empty());
  caf::anon_send_exit(other, caf::exit_reason::user_shutdown);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->observers.empty());
}

BOOST_FIXTURE_TEST_CASE(every_node_is_told_that_credentials_changed, two_nodes) {
  caf::anon_send(subject, changed_atom_v, machine_called("m"));
  caf::anon_send(subject, changed_atom_v);
  settle();
  for (const auto& node : all)
    BOOST_TEST(node->changes == 2);
}

BOOST_FIXTURE_TEST_CASE(the_status_is_that_of_all_nodes_together, two_nodes) {
  request(command_called("one"), machine_of("first"));
  request(command_called("two"), machine_of("second"));
  executor_status status;
  system.spawn([&](caf::event_based_actor* self) {
    self->request(subject, caf::infinite, status_atom_v).then([&](executor_status& x) {
      status = std::move(x);
    });
  });
  settle();
  BOOST_TEST(status.requests == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
