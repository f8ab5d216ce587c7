#include "sshexec/actors/fleet/rollout_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <ostream>
#include <vector>

using namespace sshexec;
using namespace std::chrono_literals;

using verdict = rollout_plan::verdict;

namespace {

/// A plan whose machines are taken as it says.
struct played_plan {
  explicit played_plan(const rollout& what, std::size_t all) : plan(what, all) { plan.begin(now); }

  /// Takes all that may be started, or is skipped, and tells how many.
  std::size_t take(verdict kind) {
    std::size_t result = 0;
    for (; plan.next(now) == kind; ++result)
      plan.take();
    return result;
  }

  std::size_t start() { return take(verdict::start); }

  std::size_t skip() { return take(verdict::skip); }

  void release(std::size_t count) {
    for (; count > 0; --count)
      plan.release(now);
  }

  verdict next() { return plan.next(now); }

  time_point now{1h};
  rollout_plan plan;
};

rollout with_window(std::uint32_t at_once) {
  rollout result;
  result.at_once = at_once;
  return result;
}

struct step_sizes {
  std::vector<portion> steps;
  std::size_t all;
  std::vector<std::size_t> wanted;
};

const std::vector<step_sizes> steps_table{
  {{}, 7, {7}},
  {{{1, false}}, 3, {1, 1, 1}},
  {{{1, false}, {10, true}, {50, true}}, 100, {1, 10, 50, 39}},
  {{{1, true}}, 10, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
  {{{34, true}}, 10, {4, 4, 2}},
  {{{100, true}}, 5, {5}},
  {{{200, true}}, 5, {5}},
  {{{1000, false}}, 5, {5}},
  {{{2, false}, {100, true}}, 5, {2, 3}},
};

struct budget {
  portion limit;
  std::size_t all;
  /// How many failures are allowed.
  std::size_t wanted;
};

const std::vector<budget> budget_table{
  {{0, false}, 10, 0}, {{3, false}, 10, 3}, {{5, true}, 100, 5},
  {{5, true}, 19, 0},  {{50, true}, 5, 2},
};

} // namespace

BOOST_AUTO_TEST_SUITE(rollout_plan_test)

BOOST_AUTO_TEST_CASE(before_its_beginning_it_waits) {
  rollout_plan plan{with_window(1), 1};
  BOOST_TEST((plan.next(time_point{}) == verdict::wait));
  BOOST_TEST(!plan.deadline());
  plan.begin(time_point{});
  BOOST_TEST((plan.next(time_point{}) == verdict::start));
}

BOOST_AUTO_TEST_CASE(the_window_is_never_exceeded) {
  played_plan subject{with_window(3), 8};
  BOOST_TEST(subject.start() == 3U);
  BOOST_TEST((subject.next() == verdict::wait));
  subject.release(2);
  BOOST_TEST(subject.start() == 2U);
  subject.release(3);
  BOOST_TEST(subject.start() == 3U);
  subject.release(2);
  BOOST_TEST((subject.next() == verdict::wait));
  subject.release(1);
  BOOST_TEST((subject.next() == verdict::done));
}

BOOST_AUTO_TEST_CASE(machines_are_taken_in_turn) {
  rollout_plan plan{with_window(2), 2};
  BOOST_TEST(plan.take() == 0U);
  BOOST_TEST(plan.take() == 1U);
}

BOOST_AUTO_TEST_CASE(steps_have_their_sizes) {
  for (const step_sizes& x : steps_table) {
    rollout what = with_window(1000);
    what.steps = x.steps;
    played_plan subject{what, x.all};
    std::vector<std::size_t> sizes;
    while (subject.next() == verdict::start) {
      sizes.push_back(subject.start());
      BOOST_TEST(subject.plan.step() == sizes.size());
      subject.release(sizes.back());
    }
    BOOST_TEST(sizes == x.wanted, boost::test_tools::per_element());
    BOOST_TEST((subject.next() == verdict::done));
  }
}

BOOST_AUTO_TEST_CASE(a_step_waits_for_the_last_of_the_one_before) {
  rollout what = with_window(10);
  what.steps = {{3, false}};
  played_plan subject{what, 6};
  subject.start();
  subject.release(2);
  BOOST_TEST((subject.next() == verdict::wait));
  subject.release(1);
  BOOST_TEST(subject.start() == 3U);
}

BOOST_AUTO_TEST_CASE(a_pause_begins_with_the_end_of_a_step) {
  rollout what = with_window(10);
  what.steps = {{1, false}};
  what.pause = 5s;
  played_plan subject{what, 2};
  BOOST_TEST(subject.start() == 1U);
  BOOST_TEST(!subject.plan.deadline());
  subject.now += 60s;
  subject.release(1);
  BOOST_TEST((subject.next() == verdict::wait));
  BOOST_TEST((subject.plan.deadline() == subject.now + 5s));
  subject.now += 5s;
  BOOST_TEST(subject.start() == 1U);
}

BOOST_AUTO_TEST_CASE(the_budget_is_that_of_all_machines) {
  for (const budget& x : budget_table) {
    rollout what = with_window(1);
    what.max_failures = x.limit;
    played_plan subject{what, x.all};
    for (std::size_t i = 0; i < x.wanted; ++i)
      subject.plan.failed();
    BOOST_TEST((subject.next() == verdict::start));
    subject.plan.failed();
    BOOST_TEST((subject.next() == verdict::skip));
    BOOST_TEST((subject.plan.stopped() == skip_reason::too_many_failures));
    BOOST_TEST((subject.plan.cancels_running() == skip_reason::none));
  }
}

BOOST_AUTO_TEST_CASE(skipped_machines_take_places_in_the_window_too) {
  played_plan subject{with_window(3), 10};
  subject.start();
  subject.plan.stop(skip_reason::cancelled, excess_rule::let_finish);
  BOOST_TEST((subject.next() == verdict::wait));
  subject.release(1);
  BOOST_TEST(subject.skip() == 1U);
}

BOOST_AUTO_TEST_CASE(the_first_reason_to_stop_stays_and_a_later_one_may_cancel) {
  played_plan subject{with_window(3), 10};
  subject.plan.stop(skip_reason::cancelled, excess_rule::let_finish);
  BOOST_TEST((subject.plan.cancels_running() == skip_reason::none));
  subject.plan.stop(skip_reason::deadline, excess_rule::cancel);
  BOOST_TEST((subject.plan.cancels_running() == skip_reason::deadline));
  BOOST_TEST((subject.plan.stopped() == skip_reason::cancelled));
}

BOOST_AUTO_TEST_CASE(a_deadline_stops_and_cancels) {
  rollout what = with_window(1);
  what.deadline = 10s;
  played_plan subject{what, 2};
  subject.start();
  BOOST_TEST((subject.plan.deadline() == subject.now + 10s));
  subject.now += 10s;
  BOOST_TEST((subject.next() == verdict::wait));
  BOOST_TEST((subject.plan.cancels_running() == skip_reason::deadline));
  BOOST_TEST(!subject.plan.deadline());
  subject.release(1);
  BOOST_TEST((subject.next() == verdict::skip));
  BOOST_TEST((subject.plan.stopped() == skip_reason::deadline));
}

BOOST_AUTO_TEST_CASE(the_earlier_of_pause_and_deadline_is_waited_for) {
  rollout what = with_window(1);
  what.steps = {{1, false}};
  what.pause = 5s;
  what.deadline = 7s;
  played_plan subject{what, 3};
  const time_point begin = subject.now;
  subject.start();
  subject.release(1);
  BOOST_TEST((subject.plan.deadline() == begin + 5s));
  subject.now += 5s;
  subject.start();
  subject.release(1);
  BOOST_TEST((subject.plan.deadline() == begin + 7s));
}

BOOST_AUTO_TEST_CASE(while_paused_nothing_starts_and_no_step_begins) {
  rollout what = with_window(2);
  what.steps = {{1, false}};
  played_plan subject{what, 2};
  subject.plan.pause();
  BOOST_TEST((subject.next() == verdict::wait));
  BOOST_TEST(subject.plan.step() == 0U);
  subject.plan.resume();
  BOOST_TEST((subject.next() == verdict::start));
  subject.plan.pause();
  subject.plan.stop(skip_reason::cancelled, excess_rule::let_finish);
  BOOST_TEST((subject.next() == verdict::skip));
}

BOOST_AUTO_TEST_SUITE_END()
