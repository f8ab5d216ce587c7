#include "played_fleet.hpp"

#include <caf/sec.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(rollout_end, played_fleet)

BOOST_AUTO_TEST_CASE(the_callers_end_cancels_it) {
  rollout what = of(5);
  what.at_once = 2;
  start(what);
  end_caller();
  BOOST_TEST(cancelled.size() == 2U);
  BOOST_TEST(outcomes.size() == 5U);
  BOOST_TEST(!answered());
}

BOOST_AUTO_TEST_CASE(the_consumers_end_cancels_it) {
  rollout what = of(5);
  what.at_once = 2;
  consumer_holds = true;
  start(what);
  finish(0);
  end_consumer();
  BOOST_TEST(cancelled == (places{1}), each);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->succeeded == 1U);
  BOOST_TEST(summary->never_started.at(skip_reason::cancelled) == 3U);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_fails_cancels_it_and_is_told_the_rest) {
  rollout what = of(5);
  what.at_once = 2;
  start(what);
  consumer_fails = true;
  finish(0);
  BOOST_TEST(answered());
  BOOST_TEST(outcomes.size() == 5U);
  BOOST_TEST(answers == 1);
}

BOOST_AUTO_TEST_CASE(a_caller_that_is_its_consumer_may_end) {
  rollout what = of(3);
  what.at_once = 1;
  using both = outcome_consumer::extend<caf::reacts_to<rollout_summary>>;
  const both one = owned(both{system.spawn([](both::pointer) -> both::behavior_type {
    return {[](const machine_outcome&) {}, [](const rollout_summary&) {}};
  })});
  consumer = one;
  prepare(what);
  caf::send_as(one, subject, start_atom_v);
  settle();
  BOOST_TEST(started.size() == 1U);
  const auto before = actors_left();
  end_consumer();
  BOOST_TEST(cancelled.size() == 1U);
  BOOST_TEST(actors_left() == before - 2);
}

BOOST_AUTO_TEST_CASE(the_executors_end_gives_each_machine_what_is_true_of_it) {
  rollout what = of(5);
  what.at_once = 3;
  start(what);
  finish(0);
  end_executor();
  // The answer of one was on its way.
  finish(1);
  pass(1s);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->succeeded == 2U);
  for (const std::size_t place : {2, 3}) {
    BOOST_TEST((outcome(place).kind == outcome_kind::failed));
    BOOST_TEST((outcome(place).code == error_code::connection_error));
    BOOST_TEST((outcome(place).what.progress == progress::may_have_run));
    BOOST_TEST((outcome(place).what.machine == "host-" + std::to_string(place) + ":22"));
  }
  BOOST_TEST((outcome(4).kind == outcome_kind::never_started));
  BOOST_TEST((outcome(4).reason == skip_reason::executor_gone));
  BOOST_TEST(outcomes.size() == 5U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_behind_the_executors_end_for_good_is_ignored) {
  start(of(2));
  consumer_holds = true;
  end_executor();
  pass(1s);
  finish(0);
  BOOST_TEST(outcomes.size() == 2U);
  answer_outcomes(2);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->errors.at(error_code::connection_error) == 2U);
}

BOOST_AUTO_TEST_CASE(with_an_executor_that_has_ended_nothing_is_started) {
  prepare(of(3));
  end_executor();
  start();
  pass(1s);
  BOOST_REQUIRE(summary);
  BOOST_TEST(started.empty());
  for (std::size_t place = 0; place < 3; ++place)
    BOOST_TEST((outcome(place).kind == outcome_kind::never_started
                || outcome(place).what.progress == progress::not_started));
}

BOOST_AUTO_TEST_CASE(an_executor_that_closes_is_not_asked_again) {
  rollout what = of(5);
  what.at_once = 2;
  start(what);
  fail(0, error_code::shutting_down);
  BOOST_TEST(started.size() == 2U);
  BOOST_TEST((outcome(0).code == error_code::shutting_down));
  finish(1);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->never_started.at(skip_reason::executor_gone) == 3U);
}

BOOST_AUTO_TEST_CASE(a_command_that_an_ended_executor_had_not_taken_has_not_run) {
  rollout what = of(3);
  what.at_once = 1;
  start(what);
  fail(0, caf::make_error(caf::sec::request_receiver_down));
  BOOST_TEST((outcome(0).code == error_code::shutting_down));
  BOOST_TEST((outcome(0).what.progress == progress::not_started));
  BOOST_TEST(started.size() == 1U);
  BOOST_TEST((outcome(2).reason == skip_reason::executor_gone));
}

BOOST_AUTO_TEST_CASE(an_error_of_another_kind_is_told_as_one_of_ours) {
  rollout what = of(3);
  what.at_once = 1;
  start(what);
  fail(0, caf::make_error(caf::sec::unexpected_message));
  BOOST_TEST((outcome(0).code == error_code::connection_error));
  BOOST_TEST((outcome(0).what.progress == progress::may_have_run));
  BOOST_TEST(outcome(0).what.message.find("unexpected_message") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_exit_message_cancels_it_and_it_answers) {
  rollout what = of(5);
  what.at_once = 2;
  ends_cancelled = false;
  start(what);
  tell_to_exit();
  BOOST_TEST(cancelled.size() == 2U);
  BOOST_TEST(!answered());
  finish(0);
  finish(1);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->succeeded == 2U);
  BOOST_TEST(outcomes.size() == 5U);
}

BOOST_AUTO_TEST_CASE(an_exit_message_ends_one_that_was_not_started) {
  const auto before = actors_left();
  prepare(of(2));
  tell_to_exit();
  BOOST_TEST(actors_left() == before);
  BOOST_TEST(outcomes.empty());
}

BOOST_AUTO_TEST_CASE(a_second_exit_message_ends_it_at_once) {
  ends_cancelled = false;
  const auto before = actors_left();
  start(of(2));
  tell_to_exit();
  tell_to_exit();
  BOOST_REQUIRE(error);
  BOOST_TEST(is(*error, error_code::shutting_down));
  BOOST_TEST((to_failure(*error).progress == progress::may_have_run));
  BOOST_TEST(answers == 1);
  BOOST_TEST(actors_left() == before + 1);
}

BOOST_AUTO_TEST_CASE(its_violent_end_is_an_answer) {
  start(of(2));
  caf::anon_send_exit(subject, caf::exit_reason::kill);
  settle();
  BOOST_REQUIRE(error);
  BOOST_TEST(is(*error, error_code::shutting_down));
}

BOOST_AUTO_TEST_SUITE_END()
