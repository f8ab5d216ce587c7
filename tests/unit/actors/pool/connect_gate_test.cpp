#include "simulated_pool.hpp"
#include "sshexec/actors/pool/connect_gate.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// Somebody who connects.
struct visitor {
  caf::actor actor;
  int admitted = 0;
  int refused = 0;
};

/// A gate that admits two at a time.
struct fixture : testing::virtual_time<hub_configuration> {
  /// The visitors' handlers refer to what goes next.
  ~fixture() { end_actors(); }

  /// Spawns one who asks at once.
  visitor& add(const std::string& key = "host:22") {
    visitors.push_back(std::make_unique<visitor>());
    visitor* added = visitors.back().get();
    added->actor = system.spawn([this, added](caf::event_based_actor* self) -> caf::behavior {
      return {
        [=, this](admit_atom, const std::string& wanted) {
          self->request(gate, caf::infinite, admit_atom::value, wanted)
            .then([added] { ++added->admitted; }, [added](const caf::error&) { ++added->refused; });
        },
        [=, this](done_atom) { self->send(gate, done_atom::value); },
      };
    });
    ask(*added, key);
    return *added;
  }

  void ask(const visitor& who, const std::string& key = "host:22") {
    caf::anon_send(who.actor, admit_atom::value, key);
    settle();
  }

  void give_back(const visitor& who) {
    caf::anon_send(who.actor, done_atom::value);
    settle();
  }

  void kill(const visitor& who) {
    caf::anon_send_exit(who.actor, caf::exit_reason::kill);
    settle();
  }

  connect_gate_actor gate = owned(system.spawn(connect_gate, std::size_t{2}));
  std::vector<std::unique_ptr<visitor>> visitors;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(connect_gate_test, fixture)

BOOST_AUTO_TEST_CASE(no_more_than_the_limit_are_admitted_and_the_first_come_are_served_first) {
  const auto& first = add();
  const auto& second = add();
  const auto& third = add();
  const auto& fourth = add();
  BOOST_TEST(first.admitted + second.admitted == 2);
  BOOST_TEST(third.admitted + fourth.admitted == 0);
  give_back(second);
  BOOST_TEST(third.admitted == 1);
  BOOST_TEST(fourth.admitted == 0);
  give_back(first);
  BOOST_TEST(fourth.admitted == 1);
}

BOOST_AUTO_TEST_CASE(targets_do_not_hold_each_other_up) {
  add();
  add();
  BOOST_TEST(add("host:2222").admitted == 1);
  BOOST_TEST(add("other:22").admitted == 1);
  BOOST_TEST(add().admitted == 0);
}

BOOST_AUTO_TEST_CASE(whoever_ends_gives_its_place_back) {
  const auto& first = add();
  add();
  const auto& third = add();
  kill(first);
  BOOST_TEST(third.admitted == 1);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_taken_back_takes_no_place) {
  const auto& first = add();
  add();
  const auto& third = add();
  const auto& fourth = add();
  give_back(third);
  BOOST_TEST(third.refused == 1);
  give_back(first);
  BOOST_TEST(third.admitted == 0);
  BOOST_TEST(fourth.admitted == 1);
}

BOOST_AUTO_TEST_CASE(whoever_ends_while_it_waits_takes_no_place) {
  const auto& first = add();
  add();
  kill(add());
  const auto& fourth = add();
  give_back(first);
  BOOST_TEST(fourth.admitted == 1);
}

BOOST_AUTO_TEST_CASE(a_place_is_given_back_once) {
  const auto& first = add();
  add();
  const auto& third = add();
  const auto& fourth = add();
  give_back(first);
  give_back(first);
  kill(first);
  BOOST_TEST(third.admitted == 1);
  BOOST_TEST(fourth.admitted == 0);
}

BOOST_AUTO_TEST_CASE(whoever_asks_again_waits_behind_the_others) {
  const auto& first = add();
  add();
  const auto& third = add();
  ask(first);
  BOOST_TEST(third.admitted == 1);
  BOOST_TEST(first.admitted == 1);
  kill(third);
  BOOST_TEST(first.admitted == 2);
}

BOOST_AUTO_TEST_CASE(nobody_is_admitted_anonymously) {
  caf::anon_send(gate, admit_atom::value, "host:22");
  caf::anon_send(gate, done_atom::value);
  settle();
  BOOST_TEST(add().admitted == 1);
  BOOST_TEST(add().admitted == 1);
}

BOOST_AUTO_TEST_CASE(no_place_is_lost_whatever_happens_when) {
  std::mt19937 random{1};
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  for (int i = 0; i < 2000; ++i) {
    // Not all of it is handled before the next thing happens.
    for (auto steps = pick(4); steps > 0; --steps)
      scheduler.try_run_once();
    if (visitors.size() < 5) {
      add();
      continue;
    }
    const auto chosen = pick(visitors.size());
    const auto& actor = visitors[chosen]->actor;
    switch (pick(3)) {
      case 0:
        caf::anon_send(actor, done_atom::value);
        break;
      case 1:
        caf::anon_send(actor, admit_atom::value, "host:22");
        break;
      default:
        kill(*visitors[chosen]);
        visitors.erase(visitors.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
  }
  while (!visitors.empty()) {
    kill(*visitors.back());
    visitors.pop_back();
  }
  BOOST_TEST(add().admitted == 1);
  BOOST_TEST(add().admitted == 1);
  BOOST_TEST(add().admitted == 0);
}

BOOST_AUTO_TEST_SUITE_END()
