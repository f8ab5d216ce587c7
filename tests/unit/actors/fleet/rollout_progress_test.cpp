#include "played_fleet.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

struct observed_fleet : played_fleet {
  /// Observes the rollout.
  progress_observer subscribe() {
    auto observer = owned(progress_observer{
      system.spawn([this](progress_observer::pointer) -> progress_observer::behavior_type {
        return {[this](const rollout_progress& x) { seen.push_back(x); }};
      })});
    caf::anon_send(subject, subscribe_atom_v, observer);
    settle();
    return observer;
  }

  std::vector<rollout_progress> seen;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(rollout_observers, observed_fleet)

BOOST_AUTO_TEST_CASE(are_told_ten_times_a_second_and_at_the_end) {
  prepare(of(3));
  subscribe();
  BOOST_TEST(seen.empty());
  start();
  BOOST_TEST(seen.size() == 1U);
  for (int i = 0; i < 10; ++i)
    pass(100ms);
  BOOST_TEST(seen.size() == 11U);
  BOOST_TEST(seen.back().running == numbers({0, 1, 2}), each);
  finish(0);
  finish(1, 1);
  BOOST_TEST(seen.size() == 11U);
  pass(100ms);
  BOOST_TEST(seen.size() == 12U);
  BOOST_TEST(seen.back().ended_otherwise == 1U);
  finish(2);
  BOOST_TEST(seen.size() == 13U);
  BOOST_TEST(seen.back().succeeded == 2U);
  pass(1s);
  BOOST_TEST(seen.size() == 13U);
}

BOOST_AUTO_TEST_CASE(are_told_no_more_often_when_another_one_comes) {
  start(of(1));
  subscribe();
  subscribe();
  seen.clear();
  for (int i = 0; i < 10; ++i)
    pass(100ms);
  BOOST_TEST(seen.size() == 20U);
}

BOOST_AUTO_TEST_CASE(are_forgotten_when_they_end) {
  start(of(1));
  const auto observer = subscribe();
  const auto before = actors_left();
  caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  settle();
  BOOST_TEST(actors_left() == before - 1);
  seen.clear();
  pass(1s);
  BOOST_TEST(seen.empty());
  // Another one is told again.
  subscribe();
  BOOST_TEST(seen.size() == 1U);
  finish(0);
  BOOST_TEST(answered());
}

BOOST_AUTO_TEST_SUITE_END()
