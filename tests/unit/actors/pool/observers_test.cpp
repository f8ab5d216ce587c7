#include "two_channel_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
using kind = sshexec::pool_event_kind;

namespace {

observer_actor::behavior_type collector(observer_actor::pointer, std::vector<pool_event>* events) {
  return {[events](const pool_event& event) { events->push_back(event); }};
}

struct fixture : two_channel_pool {
  ~fixture() { caf::anon_send_exit(observer, caf::exit_reason::user_shutdown); }

  void subscribe() {
    caf::anon_send(registry, subscribe_atom_v, observer);
    settle();
  }

  void unsubscribe() {
    caf::anon_send(registry, unsubscribe_atom_v, observer);
    settle();
  }

  [[nodiscard]] std::vector<std::string> story() const {
    std::vector<std::string> result;
    for (const pool_event& event : events)
      result.push_back(to_string(event.kind));
    return result;
  }

  /// Only the last one, if there are several.
  [[nodiscard]] pool_event the(kind wanted) const {
    const auto found = std::find_if(events.rbegin(), events.rend(),
                                    [&](const pool_event& x) { return x.kind == wanted; });
    BOOST_REQUIRE((found != events.rend()));
    return *found;
  }

  /// What the observer was told; it outlives the pool.
  std::vector<pool_event> events;
  observer_actor observer = system.spawn(collector, &events);
};

command named_command(std::string id) {
  command result = simulated_pool::some_command("uptime");
  result.id = std::move(id);
  return result;
}

using words = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(observation, fixture)

BOOST_AUTO_TEST_CASE(an_observer_is_told_the_story_of_a_command) {
  subscribe();
  network.on_start = start_only;
  const auto answer = request(named_command("request 1"));
  pass(3s);
  connection().finish(1, 7);
  settle();
  BOOST_TEST(answer->arrived());
  const words expected{"command_received", "connecting", "connected", "command_started",
                       "command_finished"};
  BOOST_TEST(story() == expected, boost::test_tools::per_element());
  const pool_event last = the(kind::command_finished);
  BOOST_TEST(last.command_id == "request 1");
  BOOST_TEST(last.command_line == "uptime");
  BOOST_TEST((last.exit_code == std::int32_t{7}));
  BOOST_TEST(last.machine.hostname == "host");
  BOOST_TEST(last.machine.username == "admin");
  BOOST_TEST((last.outcome == error_code::none));
  BOOST_TEST(last.detail == "");
  BOOST_TEST((last.duration == 3s));
  BOOST_TEST(last.attempt == 1U);
}

BOOST_AUTO_TEST_CASE(an_observer_is_told_of_failed_attempts_and_why) {
  subscribe();
  network.on_dial = refuse_connection;
  request(some_command());
  pass(1s);
  const words expected{"command_received", "connecting", "connect_failed", "connecting",
                       "connect_failed"};
  BOOST_TEST(story() == expected, boost::test_tools::per_element());
  const pool_event second = the(kind::connect_failed);
  BOOST_TEST(second.attempt == 2U);
  BOOST_TEST((second.outcome == error_code::connection_error));
  BOOST_TEST(second.detail == "192.0.2.1:22: Connection refused");
  pass(1min);
  const pool_event last = the(kind::command_finished);
  BOOST_TEST((last.outcome == error_code::connection_error));
  BOOST_TEST(last.attempt == 4U);
  BOOST_TEST((last.duration == 7s));
}

BOOST_AUTO_TEST_CASE(an_observer_is_told_of_a_lost_connection_and_the_retry) {
  subscribe();
  network.on_start = start_only;
  request(some_command());
  pass(5s);
  connection().lose(ssh::error_kind::dropped);
  settle();
  const words expected{"command_received", "connecting",      "connected",
                       "command_started",  "connection_lost", "command_retried"};
  BOOST_TEST(story() == expected, boost::test_tools::per_element());
  BOOST_TEST((the(kind::connection_lost).duration == 5s));
  BOOST_TEST(the(kind::command_retried).detail == "gone");
  BOOST_TEST(the(kind::command_retried).attempt == 1U);
}

BOOST_AUTO_TEST_CASE(an_observer_is_told_of_a_machine_that_is_retired) {
  subscribe();
  network.on_start = succeed_at_once;
  request(some_command());
  events.clear();
  pass(5min);
  const words expected{"connection_closed", "machine_retired"};
  BOOST_TEST(story() == expected, boost::test_tools::per_element());
  BOOST_TEST((the(kind::connection_closed).duration == 5min));
}

BOOST_AUTO_TEST_CASE(a_refused_request_is_finished_for_an_observer_as_well) {
  subscribe();
  request(some_command(" "));
  BOOST_REQUIRE(events.size() == 1);
  BOOST_TEST((events[0].kind == kind::command_finished));
  BOOST_TEST((events[0].outcome == error_code::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_observer_of_machines_that_are_there_already_is_told_from_then_on) {
  network.on_start = succeed_at_once;
  request(some_command());
  subscribe();
  request(some_command());
  const words expected{"command_received", "command_started", "command_finished"};
  BOOST_TEST(story() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_observer_that_subscribes_twice_is_told_once) {
  subscribe();
  subscribe();
  request(some_command(" "));
  BOOST_TEST(events.size() == 1U);
  unsubscribe();
  request(some_command(" "));
  BOOST_TEST(events.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_observer_that_unsubscribed_is_told_nothing_more) {
  subscribe();
  network.on_start = start_only;
  request(some_command());
  unsubscribe();
  events.clear();
  connection().finish(1, 0);
  request(some_command(), some_machine("other"));
  BOOST_TEST(events.empty());
}

BOOST_AUTO_TEST_CASE(an_observer_that_ended_is_forgotten) {
  subscribe();
  network.on_start = start_only;
  request(some_command());
  const auto address = caf::actor_cast<caf::weak_actor_ptr>(observer);
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  observer = nullptr;
  settle();
  BOOST_TEST(!address.lock());
  connection().finish(1, 0);
  settle();
  observer = system.spawn(collector, &events);
}

BOOST_AUTO_TEST_CASE(other_observers_are_still_told_when_one_has_ended) {
  subscribe();
  std::vector<pool_event> of_other;
  const observer_actor other = system.spawn(collector, &of_other);
  caf::anon_send(registry, subscribe_atom_v, other);
  settle();
  caf::anon_send_exit(other, caf::exit_reason::kill);
  request(some_command(" "));
  BOOST_TEST(events.size() == 1U);
  BOOST_TEST(of_other.empty());
}

BOOST_AUTO_TEST_SUITE_END()
