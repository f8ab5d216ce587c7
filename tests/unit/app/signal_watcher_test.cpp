#include "sshexec/app/signal_watcher.hpp"

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <tuple>

using namespace sshexec::app;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(signal_watcher_test)

BOOST_AUTO_TEST_CASE(a_signal_that_nobody_asked_for_ends_no_watch) {
  signal_watcher subject;
  std::promise<int> came;
  subject.start([&came](int signal) { came.set_value(signal); });
  for (const int stray : {SIGUSR1, SIGUSR2})
    ::kill(::getpid(), stray);
  ::kill(::getpid(), SIGTERM);
  auto first = came.get_future();
  BOOST_REQUIRE((first.wait_for(1min) == std::future_status::ready));
  BOOST_TEST(first.get() == SIGTERM);
  BOOST_TEST(subject.received() == SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_signal_between_two_watches_is_not_lost) {
  signal_watcher subject;
  subject.start([](int) {});
  subject.stop();
  ::kill(::getpid(), SIGTERM);
  std::promise<int> came;
  subject.start([&came](int signal) { came.set_value(signal); });
  auto first = came.get_future();
  BOOST_REQUIRE((first.wait_for(1min) == std::future_status::ready));
  BOOST_TEST(first.get() == SIGTERM);
}

/// timeout(1) sends each signal to its child and once more to the child's group.
BOOST_AUTO_TEST_CASE(the_echo_of_a_signal_is_told_from_a_second_one) {
  using meaning = stop_signals::meaning;
  const stop_signals::clock::time_point start{1h};
  for (const auto& [second, delay, expected] : {std::tuple{SIGTERM, 0ms, meaning::echo},
                                                {SIGTERM, 249ms, meaning::echo},
                                                {SIGTERM, 250ms, meaning::stop_at_once},
                                                {SIGTERM, 10'000ms, meaning::stop_at_once},
                                                {SIGINT, 0ms, meaning::stop_at_once}}) {
    stop_signals subject;
    BOOST_TEST((subject.of(SIGTERM, start) == meaning::stop));
    BOOST_TEST((subject.of(second, start + delay) == expected));
  }
}

BOOST_AUTO_TEST_SUITE_END()
