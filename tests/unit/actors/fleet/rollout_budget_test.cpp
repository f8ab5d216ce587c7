#include "played_fleet.hpp"

#include <algorithm>
#include <chrono>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(rollout_budget, played_fleet)

BOOST_AUTO_TEST_CASE(with_too_many_failures_nothing_more_is_started) {
  rollout what = of(10);
  what.at_once = 3;
  what.max_failures = count(1);
  start(what);
  fail(0);
  BOOST_TEST(started.size() == 4U);
  finish(1, 1);
  BOOST_TEST(started.size() == 4U);
  BOOST_TEST(cancelled.empty());
  finish(2);
  finish(3);
  BOOST_REQUIRE(summary);
  BOOST_TEST(started.size() == 4U);
  BOOST_TEST(summary->never_started.at(skip_reason::too_many_failures) == 6U);
  BOOST_TEST((outcome(9).reason == skip_reason::too_many_failures));
  BOOST_TEST(outcome(9).machine.hostname == "host-9");
}

BOOST_AUTO_TEST_CASE(a_budget_of_nothing_ends_with_the_first_failure) {
  rollout what = of(10);
  what.at_once = 1;
  what.max_failures = share(9);
  start(what);
  finish(0);
  fail(1);
  BOOST_TEST(answered());
  BOOST_TEST(started.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_under_way_is_cancelled_where_the_budget_says_so) {
  rollout what = of(10);
  what.at_once = 3;
  what.max_failures = count(0);
  what.when_exceeded = excess_rule::cancel;
  start(what);
  fail(1);
  BOOST_TEST(answered());
  std::sort(cancelled.begin(), cancelled.end());
  BOOST_TEST(cancelled == (places{0, 2}), each);
  BOOST_TEST(summary->errors.at(error_code::cancelled) == 2U);
  BOOST_TEST(outcome(2).what.message == "host-2:22: ended because too many machines had failed");
}

BOOST_AUTO_TEST_CASE(exit_codes_are_no_failures_where_errors_alone_are) {
  rollout what = of(3);
  what.at_once = 1;
  what.max_failures = count(0);
  what.counts_as_failure = failure_rule::errors_only;
  start(what);
  finish(0, 1);
  BOOST_TEST(started.size() == 2U);
  fail(1);
  BOOST_TEST(started.size() == 2U);
  BOOST_TEST(answered());
}

BOOST_AUTO_TEST_CASE(at_the_deadline_all_that_is_under_way_is_cancelled) {
  rollout what = of(5);
  what.at_once = 2;
  what.deadline = 10s;
  start(what);
  pass(9s);
  finish(0);
  pass(1s - 1ns);
  BOOST_TEST(started.size() == 3U);
  BOOST_TEST(cancelled.empty());
  pass(1ns);
  BOOST_TEST(cancelled.size() == 2U);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->errors.at(error_code::command_timeout) == 2U);
  BOOST_TEST((outcome(2).what.code == error_code::command_timeout));
  BOOST_TEST(outcome(2).what.message == "host-2:22: ended at the deadline of the rollout");
  BOOST_TEST(summary->never_started.at(skip_reason::deadline) == 2U);
}

BOOST_AUTO_TEST_CASE(what_somebody_cancelled_before_the_deadline_is_told_as_cancelled) {
  rollout what = of(2);
  what.deadline = 10s;
  ends_cancelled = false;
  start(what);
  cancel(true);
  pass(10s);
  fail(0, error_code::cancelled);
  // What the executor says of another end is true, too.
  fail(1, error_code::connection_error);
  BOOST_TEST((outcome(0).code == error_code::cancelled));
  BOOST_TEST((outcome(1).code == error_code::connection_error));
}

BOOST_AUTO_TEST_CASE(what_was_to_finish_is_ended_at_the_deadline) {
  rollout what = of(3);
  what.at_once = 1;
  what.deadline = 10s;
  start(what);
  cancel(false);
  pass(10s);
  BOOST_TEST((outcome(0).code == error_code::command_timeout));
  BOOST_TEST((outcome(1).reason == skip_reason::cancelled));
}

BOOST_AUTO_TEST_CASE(a_deadline_passes_in_a_pause_too) {
  rollout what = of(4);
  what.steps = {count(1)};
  what.pause = 8s;
  what.deadline = 10s;
  start(what);
  finish(0);
  pass(8s);
  BOOST_TEST(started.size() == 2U);
  pause();
  finish(1);
  pass(2s);
  BOOST_REQUIRE(summary);
  BOOST_TEST(summary->never_started.at(skip_reason::deadline) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
