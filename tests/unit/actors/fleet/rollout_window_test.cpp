#include "played_fleet.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(rollout_window, played_fleet)

BOOST_AUTO_TEST_CASE(no_more_than_the_window_are_under_way) {
  rollout what = of(10);
  what.at_once = 3;
  start(what);
  BOOST_TEST(started == (places{0, 1, 2}), each);
  finish(1);
  BOOST_TEST(started.back() == 3U);
  BOOST_TEST(open.size() == 3U);
  BOOST_TEST(progress().running == numbers({0, 2, 3}), each);
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_slows_the_rollout) {
  rollout what = of(10);
  what.at_once = 3;
  consumer_holds = true;
  start(what);
  for (const std::size_t place : {0, 1, 2})
    finish(place);
  BOOST_TEST(outcomes.size() == 3U);
  BOOST_TEST(started.size() == 3U);
  answer_outcomes(1);
  BOOST_TEST(started.size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_is_not_flooded_with_machines_that_were_never_started) {
  rollout what = of(1000);
  what.at_once = 3;
  consumer_holds = true;
  start(what);
  cancel(true);
  BOOST_TEST(outcomes.size() == 3U);
  answer_outcomes(2);
  BOOST_TEST(outcomes.size() == 5U);
  consumer_holds = false;
  answer_outcomes(3);
  BOOST_TEST(outcomes.size() == 1000U);
  BOOST_TEST(answered());
}

BOOST_AUTO_TEST_CASE(it_answers_when_the_consumer_has_all) {
  consumer_holds = true;
  start(of(2));
  finish(0);
  finish(1);
  answer_outcomes(1);
  BOOST_TEST(!answered());
  answer_outcomes(1);
  BOOST_TEST(answered());
}

BOOST_AUTO_TEST_CASE(without_a_consumer_the_summary_tells_all) {
  consumer = nullptr;
  rollout what = of(3);
  what.at_once = 1;
  start(what);
  finish(0);
  finish(1, 1);
  cancel(true);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->succeeded == 1U);
  BOOST_TEST(summary->unsuccessful == numbers({1, 2}), each);
}

BOOST_AUTO_TEST_CASE(a_seed_shuffles_always_in_the_same_way) {
  rollout what = of(20);
  what.shuffle_seed = 7;
  start(what);
  const places first = std::exchange(started, {});
  BOOST_TEST(!std::is_sorted(first.begin(), first.end()));
  cancel(true);
  start(what);
  BOOST_TEST(started == first, each);
  cancel(true);
  started.clear();
  what.shuffle_seed = 8;
  start(what);
  BOOST_TEST((started != first));
}

BOOST_AUTO_TEST_CASE(a_step_begins_when_the_one_before_has_ended) {
  rollout what = of(10);
  what.steps = {count(1), share(25)};
  start(what);
  BOOST_TEST(started == (places{0}), each);
  BOOST_TEST(progress().step == 1U);
  finish(0);
  BOOST_TEST(started == (places{0, 1, 2, 3}), each);
  finish(1);
  finish(3);
  BOOST_TEST(started.size() == 4U);
  finish(2);
  BOOST_TEST(started.size() == 7U);
  BOOST_TEST(progress().step == 3U);
  for (const std::size_t place : {4, 5, 6, 7, 8, 9})
    finish(place);
  BOOST_TEST(answered());
}

BOOST_AUTO_TEST_CASE(there_is_a_pause_between_steps_and_none_before_or_behind) {
  rollout what = of(4);
  what.steps = {count(2)};
  what.pause = 10s;
  start(what);
  BOOST_TEST(started.size() == 2U);
  pass(60s);
  finish(0);
  finish(1);
  pass(10s - 1ns);
  BOOST_TEST(started.size() == 2U);
  pass(1ns);
  BOOST_TEST(started.size() == 4U);
  finish(2);
  finish(3);
  BOOST_TEST(answered());
}

BOOST_AUTO_TEST_CASE(a_step_does_not_widen_the_window) {
  rollout what = of(10);
  what.steps = {share(100)};
  what.at_once = 2;
  start(what);
  BOOST_TEST(started.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_the_pause) {
  rollout what = of(2);
  what.steps = {count(1)};
  what.pause = 1h;
  start(what);
  finish(0);
  cancel(false);
  BOOST_TEST(answered());
  BOOST_TEST((outcome(1).reason == skip_reason::cancelled));
}

BOOST_AUTO_TEST_SUITE_END()
