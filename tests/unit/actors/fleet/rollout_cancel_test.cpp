#include "played_fleet.hpp"

#include <algorithm>

using namespace sshexec;
using namespace sshexec::test;

BOOST_FIXTURE_TEST_SUITE(rollout_cancel, played_fleet)

BOOST_AUTO_TEST_CASE(while_it_is_paused_nothing_is_started) {
  rollout what = of(5);
  what.at_once = 2;
  start(what);
  pause();
  BOOST_TEST(progress().paused);
  finish(0);
  finish(1);
  BOOST_TEST(started.size() == 2U);
  BOOST_TEST(outcomes.size() == 2U);
  resume();
  BOOST_TEST(started.size() == 4U);
  BOOST_TEST(!progress().paused);
}

BOOST_AUTO_TEST_CASE(one_that_was_paused_before_its_start_waits) {
  prepare(of(2));
  pause();
  start();
  BOOST_TEST(started.empty());
  resume();
  BOOST_TEST(started.size() == 2U);
}

BOOST_AUTO_TEST_CASE(one_that_was_cancelled_before_its_start_starts_nothing) {
  prepare(of(2));
  cancel(false);
  BOOST_TEST(outcomes.empty());
  start();
  BOOST_TEST(started.empty());
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->never_started.at(skip_reason::cancelled) == 2U);
}

BOOST_AUTO_TEST_CASE(a_cancel_starts_nothing_more_and_lets_the_rest_finish) {
  rollout what = of(5);
  what.at_once = 2;
  start(what);
  cancel(false);
  finish(0);
  BOOST_TEST(started.size() == 2U);
  BOOST_TEST(cancelled.empty());
  BOOST_TEST(!answered());
  finish(1);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->succeeded == 2U);
  BOOST_TEST(summary->never_started.at(skip_reason::cancelled) == 3U);
}

BOOST_AUTO_TEST_CASE(a_second_cancel_takes_back_what_is_under_way) {
  rollout what = of(5);
  what.at_once = 2;
  ends_cancelled = false;
  start(what);
  cancel(false);
  cancel(true);
  std::sort(cancelled.begin(), cancelled.end());
  BOOST_TEST(cancelled == (places{0, 1}), each);
  // Only their executor knows what becomes of them.
  BOOST_TEST(!answered());
  finish(0);
  fail(1, error_code::cancelled);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->succeeded == 1U);
  BOOST_TEST(summary->errors.at(error_code::cancelled) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
