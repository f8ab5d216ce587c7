#include "played_fleet.hpp"

#include <chrono>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(rollout_test, played_fleet)

BOOST_AUTO_TEST_CASE(each_machine_has_its_outcome_and_the_caller_the_summary) {
  rollout what = of(4);
  what.command.id = "uptime";
  start(what);
  BOOST_TEST(started == (places{0, 1, 2, 3}), each);
  BOOST_TEST(open.at(2).command.id == "uptime/2");
  finish(1);
  finish(0, 3);
  fail(3, error_code::authentication_error);
  BOOST_TEST(!answered());
  pass(2s);
  finish(2);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->all == 4U);
  BOOST_TEST(summary->succeeded == 2U);
  BOOST_TEST(summary->exit_codes.at(0) == 2U);
  BOOST_TEST(summary->exit_codes.at(3) == 1U);
  BOOST_TEST(summary->errors.at(error_code::authentication_error) == 1U);
  BOOST_TEST(summary->never_started.empty());
  BOOST_TEST(summary->unsuccessful == numbers({0, 3}), each);
  BOOST_TEST((summary->duration == 2s));
  BOOST_TEST(outcomes.size() == 4U);
  BOOST_TEST(outcome(1).result.output.stdout_data == "output of 1");
  BOOST_TEST(outcome(1).machine.hostname == "host-1");
  BOOST_TEST((outcome(3).kind == outcome_kind::failed));
  BOOST_TEST(outcome(3).what.attempts == 4U);
  BOOST_TEST(answers == 1);
}

BOOST_AUTO_TEST_CASE(a_command_without_id_gets_one_of_the_rollout) {
  start(of(2));
  const std::string id = open.at(0).command.id;
  BOOST_TEST(id.starts_with('#'));
  BOOST_TEST(open.at(1).command.id == id.substr(0, id.size() - 1) + "1");
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_named_twice_is_served_once) {
  rollout what = of(3);
  what.machines.insert(what.machines.begin() + 1, what.machines.front());
  start(what);
  BOOST_TEST(started == (places{0, 2, 3}), each);
  BOOST_TEST(progress().all == 3U);
}

BOOST_AUTO_TEST_CASE(the_line_of_each_machine_is_its_own) {
  rollout what = of(2);
  what.expand = true;
  what.command.line = "echo %n %h 100%%";
  start(what);
  BOOST_TEST(open.at(0).command.line == "echo 1 host-0 100%");
  BOOST_TEST(open.at(1).command.line == "echo 2 host-1 100%");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_not_to_be_expanded_stays_as_it_is) {
  rollout what = of(1);
  what.command.line = "date +%s";
  start(what);
  BOOST_TEST(open.at(0).command.line == "date +%s");
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  const auto refused = [&](auto change) {
    rollout what = of(2);
    change(what);
    const auto made = spawn_rollout(system, executor, what, consumer);
    return !made && is(made.error(), error_code::invalid_argument)
           && !to_failure(made.error()).message.empty();
  };
  BOOST_TEST(refused([](rollout& x) { x.machines.clear(); }));
  BOOST_TEST(refused([](rollout& x) { x.command.line.clear(); }));
  BOOST_TEST(refused([](rollout& x) { x.command.stdin_open = true; }));
  BOOST_TEST(refused([](rollout& x) { x.at_once = 0; }));
  BOOST_TEST(refused([](rollout& x) { x.steps = {count(1), share(0)}; }));
  BOOST_TEST(refused([](rollout& x) { x.pause = -1ns; }));
  BOOST_TEST(refused([](rollout& x) { x.deadline = caf::timespan{-1}; }));
  BOOST_TEST(refused([](rollout& x) {
    x.expand = true;
    x.command.line = "date +%s";
  }));
  BOOST_TEST(!spawn_rollout(system, executor_actor{}, of(1), consumer));
}

BOOST_AUTO_TEST_CASE(a_rollout_is_started_once) {
  start(of(1));
  start();
  BOOST_REQUIRE(error);
  BOOST_TEST(is(*error, error_code::invalid_argument));
  finish(0);
  BOOST_TEST(summary.has_value());
}

BOOST_AUTO_TEST_CASE(one_that_is_never_started_ends_with_its_last_handle) {
  const auto before = actors_left();
  prepare(of(1));
  BOOST_TEST(actors_left() == before + 1);
  subject = nullptr;
  settle();
  BOOST_TEST(actors_left() == before);
}

BOOST_AUTO_TEST_CASE(it_ends_with_its_answer) {
  const auto before = actors_left();
  start(of(1));
  finish(0);
  // The caller is left.
  BOOST_TEST(actors_left() == before + 1);
}

BOOST_AUTO_TEST_CASE(progress_tells_how_far_it_is) {
  rollout what = of(8);
  what.at_once = 2;
  what.max_failures = count(1);
  start(what);
  finish(0);
  finish(1, 2);
  fail(2);
  const rollout_progress seen = progress();
  BOOST_TEST(seen.all == 8U);
  BOOST_TEST(seen.succeeded == 1U);
  BOOST_TEST(seen.ended_otherwise == 1U);
  BOOST_TEST(seen.failed == 1U);
  // One has a place in the window, so the others are told one by one.
  BOOST_TEST(seen.never_started == 4U);
  BOOST_TEST(seen.running == numbers({3}), each);
  BOOST_TEST(seen.step == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
