#include "played_fleet.hpp"
#include "seeds.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

/// One rollout whose executor answers in any order and at any time, and whose neighbours fail, all
/// decided by one seed. After each step the promises are checked.
class simulation {
public:
  explicit simulation(std::uint64_t seed) : random_(seed) {}

  void run() {
    fleet_.on_start = [this](std::size_t place) { check_start(place); };
    fleet_.ends_cancelled = chance(70);
    fleet_.consumer_holds = chance(40);
    has_consumer_ = chance(90);
    if (!has_consumer_)
      fleet_.consumer = nullptr;
    alive_ = fleet_.actors_left();
    fleet_.prepare(what_);
    if (chance(20))
      interfere_early();
    begun_at_ = fleet_.now();
    fleet_.start();
    ++alive_;
    check();
    for (int i = pick(0, 120); i > 0; --i) {
      step();
      check();
    }
    come_to_an_end();
    check_end();
  }

private:
  int pick(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }

  bool chance(int percent) { return pick(1, 100) <= percent; }

  std::size_t pick_one(const std::vector<std::size_t>& x) {
    return x.at(static_cast<std::size_t>(pick(0, static_cast<int>(x.size()) - 1)));
  }

  portion random_portion(int smallest) {
    return {static_cast<std::uint32_t>(pick(smallest, 30)), chance(50)};
  }

  rollout random_rollout() {
    rollout result = played_fleet::of(static_cast<std::size_t>(pick(1, 40)));
    const auto last = static_cast<int>(result.machines.size()) - 1;
    for (int i = pick(0, 3); i > 0; --i)
      result.machines.push_back(result.machines.at(static_cast<std::size_t>(pick(0, last))));
    result.at_once = static_cast<std::uint32_t>(pick(1, 12));
    for (int i = pick(0, 3); i > 0; --i)
      result.steps.push_back(random_portion(1));
    if (chance(50))
      result.pause = std::chrono::seconds{pick(0, 20)};
    if (chance(50))
      result.max_failures = random_portion(0);
    if (chance(30))
      result.deadline = std::chrono::seconds{pick(0, 120)};
    if (chance(30))
      result.shuffle_seed = static_cast<std::uint64_t>(pick(0, 100));
    result.when_exceeded = chance(50) ? excess_rule::cancel : excess_rule::let_finish;
    result.counts_as_failure
      = chance(50) ? failure_rule::errors_only : failure_rule::errors_and_exit_codes;
    return result;
  }

  // -- what happens --

  void step() {
    switch (pick(0, 9)) {
      case 0:
        return fleet_.pass(std::chrono::milliseconds{pick(1, 20'000)});
      case 1:
        return chance(30) ? interfere() : resume();
      case 2:
      case 3:
        return fleet_.answer_outcomes(static_cast<std::size_t>(pick(1, 5)));
      default:
        return end_one();
    }
  }

  /// The executor is done with one machine.
  void end_one() {
    const auto open = fleet_.open_places();
    if (open.empty())
      return;
    const std::size_t place = pick_one(open);
    if (chance(80))
      return finish(place, chance(80) ? 0 : 1);
    ++failures_;
    const bool closes = chance(10);
    stopped_ = stopped_ || closes;
    fleet_.fail(place, closes ? error_code::shutting_down : error_code::connection_error);
  }

  void finish(std::size_t place, int exit_code) {
    if (exit_code != 0 && what_.counts_as_failure == failure_rule::errors_and_exit_codes)
      ++failures_;
    fleet_.finish(place, exit_code);
  }

  void interfere_early() {
    switch (pick(0, 3)) {
      case 0:
        paused_ = true;
        return fleet_.pause();
      case 1:
        stopped_ = true;
        return fleet_.cancel(chance(50));
      case 2:
        return end_executor();
      default:
        return resume();
    }
  }

  /// Somebody has a say in it, fails, or ends.
  void interfere() {
    switch (pick(0, 7)) {
      case 0:
        paused_ = true;
        return fleet_.pause();
      case 1:
        return resume();
      case 2:
        stopped_ = true;
        return fleet_.cancel(chance(50));
      case 3:
        return end_executor();
      case 4:
        return end_consumer();
      case 5:
        return end_caller();
      case 6:
        stopped_ = true;
        ++exits_;
        return fleet_.tell_to_exit();
      default:
        fleet_.consumer_fails = true;
    }
  }

  void resume() {
    paused_ = false;
    fleet_.resume();
  }

  void end_executor() {
    stopped_ = true;
    alive_ -= std::exchange(executor_ended_, true) ? 0 : 1;
    fleet_.end_executor();
  }

  void end_consumer() {
    if (!has_consumer_)
      return;
    stopped_ = true;
    alive_ -= std::exchange(consumer_ended_, true) ? 0 : 1;
    fleet_.end_consumer();
  }

  void end_caller() {
    stopped_ = true;
    if (!std::exchange(caller_ended_, true)) {
      --alive_;
      caller_ended_before_answer_ = !fleet_.answered();
    }
    fleet_.end_caller();
  }

  /// It ends when its neighbours do what they promise, whatever happened before.
  void come_to_an_end() {
    fleet_.consumer_holds = false;
    resume();
    const bool executor_answers = !executor_ended_ || chance(50);
    // As many times as there can be steps.
    for (std::size_t i = 0; i <= what_.machines.size(); ++i) {
      while (executor_answers && !fleet_.open.empty())
        finish(fleet_.open.begin()->first, 0);
      fleet_.answer_outcomes(1000);
      fleet_.pass(what_.pause + 1s);
      check();
    }
  }

  // -- what must hold --

  /// How many machines are started by the end of each step.
  [[nodiscard]] std::set<std::size_t> ends_of_steps() const {
    std::set<std::size_t> result;
    std::size_t end = 0;
    for (std::size_t i = 0; end < distinct_; ++i) {
      const portion size = what_.steps.empty()
                             ? portion{100, true}
                             : what_.steps.at(std::min(i, what_.steps.size() - 1));
      end += rounded_up(size, distinct_);
      result.insert(end);
    }
    return result;
  }

  /// Runs within an actor, so it throws nothing.
  void check_start(std::size_t place) {
    BOOST_TEST(seen_started_.insert(place).second);
    BOOST_TEST(!stopped_);
    BOOST_TEST(!paused_);
    BOOST_TEST(fleet_.open.size() + fleet_.unanswered.size() <= what_.at_once);
    if (what_.max_failures)
      BOOST_TEST(failures_ <= rounded_down(*what_.max_failures, distinct_));
    if (what_.deadline)
      BOOST_TEST((fleet_.now() < begun_at_ + *what_.deadline));
    if (!ends_of_steps_.contains(seen_started_.size() - 1))
      return;
    BOOST_TEST(fleet_.open.size() == 1U);
    BOOST_TEST(fleet_.unanswered.empty());
    BOOST_TEST((fleet_.now() >= last_outcome_at_ + what_.pause));
  }

  void check() {
    for (; outcomes_read_ < fleet_.outcomes.size(); ++outcomes_read_) {
      check_outcome(fleet_.outcomes[outcomes_read_]);
      last_outcome_at_ = fleet_.now();
      stopped_ = stopped_ || fleet_.consumer_fails;
    }
    BOOST_REQUIRE(fleet_.answers <= 1);
    if (!executor_ended_)
      BOOST_REQUIRE(fleet_.open.size() + fleet_.unanswered.size() <= what_.at_once);
  }

  void check_outcome(const machine_outcome& x) {
    BOOST_REQUIRE(seen_outcomes_.insert(x.index).second);
    BOOST_REQUIRE((x.machine == what_.machines.at(x.index)));
    const bool was_started = seen_started_.contains(x.index);
    if (x.kind == outcome_kind::never_started) {
      BOOST_REQUIRE(!was_started);
      BOOST_REQUIRE((x.reason != skip_reason::none));
    } else if (!was_started) {
      BOOST_REQUIRE((x.what.progress == progress::not_started));
      BOOST_REQUIRE(executor_ended_);
    }
    if (x.code == error_code::cancelled)
      BOOST_REQUIRE(std::count(fleet_.cancelled.begin(), fleet_.cancelled.end(), x.index) == 1);
  }

  void check_end() {
    BOOST_REQUIRE(fleet_.answers == (caller_ended_before_answer_ ? 0 : 1));
    BOOST_REQUIRE(fleet_.actors_left() == alive_);
    if (has_consumer_ && !consumer_ended_ && exits_ < 2)
      BOOST_REQUIRE(fleet_.outcomes.size() == distinct_);
    if (!fleet_.summary) {
      BOOST_REQUIRE((caller_ended_before_answer_ || exits_ >= 2));
      return;
    }
    const rollout_summary& summary = *fleet_.summary;
    BOOST_REQUIRE(summary.all == distinct_);
    BOOST_REQUIRE(summary.succeeded + summary.unsuccessful.size() == distinct_);
    BOOST_REQUIRE(total(summary.exit_codes) + total(summary.errors) + total(summary.never_started)
                  == distinct_);
    for (const machine_outcome& x : fleet_.outcomes)
      BOOST_REQUIRE(
        x.succeeded()
        != std::binary_search(summary.unsuccessful.begin(), summary.unsuccessful.end(), x.index));
  }

  template <class Map>
  static std::uint64_t total(const Map& counts) {
    std::uint64_t result = 0;
    for (const auto& [what, count] : counts)
      result += count;
    return result;
  }

  std::mt19937_64 random_;
  rollout what_ = random_rollout();
  std::size_t distinct_ = std::set<machine>{what_.machines.begin(), what_.machines.end()}.size();
  std::set<std::size_t> ends_of_steps_ = ends_of_steps();
  bool has_consumer_ = true;
  caf::actor_clock::time_point begun_at_;
  caf::actor_clock::time_point last_outcome_at_;

  /// Why nothing may be started.
  bool paused_ = false;
  bool stopped_ = false;
  std::size_t failures_ = 0;
  bool executor_ended_ = false;
  bool consumer_ended_ = false;
  bool caller_ended_ = false;
  bool caller_ended_before_answer_ = false;
  int exits_ = 0;
  /// How many actors are left when the rollout has ended.
  std::size_t alive_ = 0;

  std::set<std::size_t> seen_started_;
  std::set<std::size_t> seen_outcomes_;
  std::size_t outcomes_read_ = 0;
  played_fleet fleet_;
};

} // namespace

BOOST_AUTO_TEST_CASE(every_promise_holds_in_random_rollouts) {
  run_seeds<simulation>(1000);
}
