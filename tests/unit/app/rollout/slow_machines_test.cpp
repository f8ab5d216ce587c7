#include "sshexec/app/rollout/slow_machines.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <vector>

using namespace sshexec::app;
using namespace std::chrono_literals;

namespace {

using places = std::vector<std::uint64_t>;

const slow_machines::clock::time_point begin{};

places told(slow_machines& subject, const places& running,
            slow_machines::clock::duration since_begin) {
  const auto found = subject.look(running, begin + since_begin);
  return found ? found->places : places{};
}

} // namespace

BOOST_AUTO_TEST_SUITE(slow_ones_among_many_machines)

BOOST_AUTO_TEST_CASE(are_under_way_for_much_longer_than_the_others_took) {
  struct row {
    std::vector<slow_machines::clock::duration> done;
    std::size_t running;
    slow_machines::clock::duration under_way;
    bool are_slow;
  };

  for (const auto& [done, running, under_way, are_slow] : std::vector<row>{
         // Nobody knows how long it takes.
         {{}, 1, 1h, false},
         // Three times the median.
         {{10s}, 1, 30s - 1ns, false},
         {{10s}, 1, 30s, true},
         {{1s, 10s, 60s}, 1, 30s - 1ns, false},
         {{60s, 10s, 1s}, 1, 30s, true},
         // The lower one of the two in the middle.
         {{4s, 2s, 100s, 100s}, 1, 12s, true},
         // Five seconds at the least.
         {{1ms}, 1, 5s - 1ns, false},
         {{1ms}, 1, 5s, true},
         // More are under way than are done.
         {{1s, 1s}, 3, 1h, false},
         {{1s, 1s}, 2, 1h, true},
       }) {
    slow_machines subject;
    for (const auto took : done)
      subject.done(took);
    places all;
    for (std::size_t i = 0; i < running; ++i)
      all.push_back(i);
    BOOST_TEST(told(subject, all, 0s).empty());
    BOOST_TEST(told(subject, all, under_way).empty() == !are_slow,
               done.size() << " done, " << running << " running");
  }
}

BOOST_AUTO_TEST_CASE(are_told_once_with_what_they_are_measured_by) {
  slow_machines subject;
  for (int i = 0; i < 3; ++i)
    subject.done(4s);
  BOOST_TEST(told(subject, {7, 9}, 0s).empty());
  const auto found = subject.look({7, 8, 9}, begin + 12s);
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->places == (places{7, 9}), boost::test_tools::per_element());
  BOOST_TEST((found->under_way == 12s));
  BOOST_TEST((found->median == 4s));
  BOOST_TEST(told(subject, {7, 8, 9}, 23s).empty());
  BOOST_TEST(told(subject, {7, 8, 9}, 24s) == places{8}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(are_forgotten_when_they_are_done) {
  slow_machines subject;
  subject.done(1s);
  BOOST_TEST(told(subject, {3}, 0s).empty());
  BOOST_TEST(told(subject, {}, 4s).empty());
  BOOST_TEST(told(subject, {3}, 5s).empty());
  BOOST_TEST(told(subject, {3}, 10s) == places{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
