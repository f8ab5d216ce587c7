#include "actor_fixture.hpp"
#include "sshexec/actors/runtime/borrowed_thread.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/spawn_options.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(borrowed_thread)

namespace {

using ready_atom = caf::atom_constant<caf::atom("ready")>;

struct fixture : sshexec::test::actor_fixture {
  void deliver(const caf::actor& receiver) {
    sshexec::borrowed_thread{system}.deliver(caf::actor_cast<caf::strong_actor_ptr>(receiver),
                                             ready_atom::value);
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_receiver_and_the_first_actor_it_wakes_run_on_the_calling_thread,
                        fixture) {
  std::vector<std::thread::id> ran_on;
  const auto second = start(system.spawn<caf::lazy_init>([&]() -> caf::behavior {
    return {[&](ready_atom) { ran_on.push_back(std::this_thread::get_id()); }};
  }));
  const auto first
    = start(system.spawn<caf::lazy_init>([&](caf::event_based_actor* self) -> caf::behavior {
        return {[&, self](ready_atom x) {
          ran_on.push_back(std::this_thread::get_id());
          self->send(second, x);
        }};
      }));
  deliver(first);
  const auto here = std::this_thread::get_id();
  BOOST_TEST((ran_on == std::vector{here, here}));
}

BOOST_FIXTURE_TEST_CASE(an_actor_that_always_has_messages_goes_on_elsewhere, fixture) {
  // Shared with an actor that goes on behind the test.
  const auto left = std::make_shared<std::atomic<int>>(1'000'000);
  const auto busy
    = start(system.spawn<caf::lazy_init>([left](caf::event_based_actor* self) -> caf::behavior {
        return {[left, self](ready_atom x) {
          if (left->fetch_sub(1) > 1)
            self->send(self, x);
        }};
      }));
  deliver(busy);
  BOOST_TEST(left->exchange(0) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
