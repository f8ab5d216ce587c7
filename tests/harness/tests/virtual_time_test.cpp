#include "sshexec/testing/virtual_time.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>

#include <chrono>
#include <vector>

using sshexec::testing::virtual_time;
using namespace std::chrono_literals;

namespace {

using tick_atom = caf::atom_constant<caf::atom("tick")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;

struct fixture : virtual_time<> {
  /// Notes the time of each tick, once a minute from the first one on.
  caf::actor spawn_clock() {
    return system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self](tick_atom) {
        ticks.push_back(now());
        self->delayed_send(self, 1min, tick_atom::value);
      }};
    });
  }

  std::vector<caf::actor_clock::time_point> ticks;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(harness_virtual_time, fixture)

BOOST_AUTO_TEST_CASE(nothing_happens_until_it_is_told_to) {
  caf::anon_send(spawn_clock(), tick_atom::value);
  BOOST_TEST(ticks.empty());
  settle();
  BOOST_TEST(ticks.size() == 1U);
}

BOOST_AUTO_TEST_CASE(time_passes_deadline_by_deadline) {
  const auto start = now();
  caf::anon_send(spawn_clock(), tick_atom::value);
  pass(1min - 1ns);
  BOOST_TEST(ticks.size() == 1U);
  pass(1ns);
  BOOST_TEST(ticks.size() == 2U);
  pass(24h);
  BOOST_REQUIRE(ticks.size() == 2U + 24 * 60);
  for (std::size_t i = 0; i < ticks.size(); ++i)
    BOOST_REQUIRE((ticks[i] == start + i * 1min));
  BOOST_TEST((now() == start + 1min + 24h));
}

BOOST_AUTO_TEST_CASE(an_actor_that_waits_for_a_deadline_ends_with_the_fixture) {
  caf::anon_send(spawn_clock(), tick_atom::value);
  settle();
  BOOST_TEST(actors_left() == 1U);
  end_actors();
  BOOST_TEST(actors_left() == 0U);
}

/// It refers to itself by the promise that it keeps.
caf::behavior never_answers(caf::stateful_actor<caf::response_promise>* self) {
  return {[self](ask_atom) {
    self->state = self->make_response_promise();
    return self->state;
  }};
}

BOOST_AUTO_TEST_CASE(an_actor_that_keeps_itself_alive_ends_with_the_fixture_that_owns_it) {
  system.spawn(
    [to = owned(system.spawn(never_answers))](caf::event_based_actor* self) -> caf::behavior {
      self->request(to, caf::infinite, ask_atom::value).then([] {}, [](caf::error&) {});
      return {};
    });
  settle();
  BOOST_TEST(actors_left() == 2U);
  end_actors();
  BOOST_TEST(actors_left() == 0U);
}

BOOST_AUTO_TEST_CASE(an_actor_that_nobody_ends_fails_the_test_and_hangs_nothing,
                     *boost::unit_test::expected_failures(1)) {
  // What stays referred to is no leak to a sanitizer.
  static const caf::actor* kept = nullptr;
  virtual_time<> other;
  kept = new caf::actor{other.system.spawn(never_answers)};
  other.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->request(*kept, caf::infinite, ask_atom::value).then([] {}, [](caf::error&) {});
    return {};
  });
}

BOOST_AUTO_TEST_SUITE_END()
