#pragma once

#include <boost/test/unit_test.hpp>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/timespan.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// For tests of actors on virtual time. It needs CAF and Boost.Test; who includes it links them
/// himself.
namespace sshexec::testing {

/// A configuration of a hub, on virtual time.
template <class Config = caf::actor_system_config>
struct on_virtual_time : Config {
  on_virtual_time() { this->set("scheduler.policy", caf::atom("testing")); }
};

/// An actor system on CAF's test coordinator, as a fixture for Boost.Test. Everything runs on the
/// test's own thread, in the same order each time, and only when told to; hours pass in no time.
/// Actors that use threads, sockets or files of their own do not belong here, but stand-ins for
/// them.
template <class Config = caf::actor_system_config>
class virtual_time {
public:
  virtual_time() : scheduler(dynamic_cast<scheduler_type&>(system.scheduler())) {}

  virtual_time(const virtual_time&) = delete;
  virtual_time& operator=(const virtual_time&) = delete;

  /// Never hangs, as an actor system does when an actor is left: that fails the test instead.
  ~virtual_time() {
    end_actors();
    if (actors_left() == 0)
      return;
    BOOST_ERROR(std::to_string(actors_left()) + " actors are left at the end of the test");
    system.await_actors_before_shutdown(false);
  }

  /// Ends an actor together with this object, for those that do not end by themselves.
  template <class Handle>
  Handle owned(Handle x) {
    owned_.push_back(caf::actor_cast<caf::actor>(x));
    return x;
  }

  /// Lets every actor handle what is in its mailbox, and what comes of it.
  void settle() { scheduler.run(); }

  /// Lets time pass, deadline by deadline, and handles what becomes due.
  void pass(caf::timespan time) {
    settle();
    auto& clock = scheduler.clock();
    const auto end = clock.now() + time;
    // CAF's test clock would go to the end first, so that all would happen at the same moment.
    while (clock.has_pending_timeout() && clock.schedule().begin()->first <= end) {
      const auto next = std::max(clock.schedule().begin()->first, clock.now());
      scheduler.advance_time(next - clock.now());
      settle();
    }
    scheduler.advance_time(end - clock.now());
    settle();
  }

  [[nodiscard]] caf::actor_clock::time_point now() const { return scheduler.clock().now(); }

  /// Ends all owned actors and forgets all that is still to happen, so that nothing keeps an actor
  /// that nobody refers to.
  void end_actors() {
    for (const caf::actor& x : std::exchange(owned_, {}))
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    settle();
    scheduler.clock().cancel_all();
    settle();
  }

  /// How many actors have not ended.
  [[nodiscard]] std::size_t actors_left() { return system.registry().running(); }

  on_virtual_time<Config> config;
  caf::actor_system system{config};

private:
  using scheduler_type = caf::scheduler::test_coordinator;

public:
  scheduler_type& scheduler;

private:
  std::vector<caf::actor> owned_;
};

} // namespace sshexec::testing
