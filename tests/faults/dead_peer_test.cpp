#include "hub.hpp"
#include "meeting_place.hpp"
#include "sshexec/testing/faulty_proxy.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
using testing::event;
using testing::network;

/// What the bound is, to the nanosecond, is told by the supervisor's tests on virtual time.
namespace {

settings watchful_settings() {
  settings result = quick_settings();
  result.keepalive_interval = 1500ms;
  return result;
}

struct watchful_hub : hub {
  watchful_hub() : hub(watchful_settings()) {}

  /// Starts a long command and returns when it is running.
  std::future<answer> start(const machine& target) {
    command what = make_command("echo running > " + place.pipe() + "; sleep 60");
    what.timeout = 1min;
    what.retry = retry_policy::never;
    auto result
      = std::async(std::launch::async, [this, target, what] { return run(target, what); });
    BOOST_REQUIRE(place.read_line() == "running");
    return result;
  }

  meeting_place place;
};

bool was_silent(const answer& x) {
  return x.failed_with(error_code::connection_error)
         && x.what().fault == connection_fault::timed_out
         && x.what().progress == progress::may_have_run
         && x.what().message.find("the server was silent for") != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(dead_peers, watchful_hub)

BOOST_AUTO_TEST_CASE(an_idle_connection_whose_peer_went_silent_is_closed) {
  testing::scripted_server server;
  BOOST_TEST(run(machine_of(server), "true").succeeded());
  server.break_connections(testing::breakage::silence);
  BOOST_TEST(server.wait_for(event::disconnected));
}

BOOST_AUTO_TEST_CASE(a_dead_connection_of_the_pool_is_replaced_and_costs_no_retry) {
  testing::scripted_server server;
  hub pool{without_retries(watchful_settings())};
  BOOST_TEST(pool.run(machine_of(server), "true").succeeded());
  server.break_connections(testing::breakage::silence);
  BOOST_REQUIRE(server.wait_for(event::connection_broken));
  BOOST_TEST(pool.run(machine_of(server), "true").succeeded());
}

BOOST_AUTO_TEST_CASE(a_command_whose_server_stands_still_is_told_so) {
  testing::openssh_server server;
  auto answer = start(machine_of(server));
  server.suspend();
  BOOST_TEST(was_silent(answer.get()));
  server.resume();
  BOOST_TEST(run(machine_of(server), "true").succeeded());
}

BOOST_AUTO_TEST_CASE(a_command_behind_a_cable_that_was_pulled_is_told_so) {
  const testing::openssh_server server;
  testing::faulty_proxy cable{server.host(), server.port()};
  machine target = machine_of(server);
  target.port = cable.port();
  for (const auto mode : {network::mode::black_hole, network::mode::half_open}) {
    auto answer = start(target);
    cable.change({.behaviour = mode});
    BOOST_TEST(was_silent(answer.get()));
    cable.change({});
    BOOST_TEST(run(target, "true").succeeded());
  }
}

BOOST_AUTO_TEST_CASE(a_quiet_command_on_a_living_connection_goes_on) {
  const testing::openssh_server server;
  // Longer than the bound.
  BOOST_TEST(run(machine_of(server), "sleep 6").succeeded());
}

BOOST_AUTO_TEST_SUITE_END()
