#include "played_fleet.hpp"

#include <caf/sec.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

using places = std::vector<std::size_t>;

portion share(std::uint32_t percent) {
  return {percent, true};
}

portion count(std::uint32_t machines) {
  return {machines, false};
}

/// As it can be compared with `running`.
std::vector<std::uint64_t> numbers(std::initializer_list<std::uint64_t> x) {
  return x;
}

constexpr auto each = boost::test_tools::per_element();

} // namespace

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
  BOOST_TEST(id.starts_with("rollout-"));
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

// -- the window ----------------------------------------------------------------------------------

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

// -- steps ---------------------------------------------------------------------------------------

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

// -- the budget ----------------------------------------------------------------------------------

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

// -- pause and cancel ----------------------------------------------------------------------------

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
  BOOST_TEST(summary->never_started.at(skip_reason::deadline) == 2U);
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

// -- ends ----------------------------------------------------------------------------------------

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
