#include "sshexec/actors/pool/latency_histogram.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

/// Whether they differ by no more than 4 %, as `latency_percentiles` promises.
bool is_near(caf::timespan x, caf::timespan expected) {
  return std::chrono::abs(x - expected) <= expected / 25;
}

} // namespace

BOOST_AUTO_TEST_SUITE(latency_histogram_test)

BOOST_AUTO_TEST_CASE(an_empty_histogram_tells_zero) {
  BOOST_TEST((latency_histogram{}.distribution().percentiles() == latency_percentiles{}));
}

BOOST_AUTO_TEST_CASE(every_percentile_of_one_duration_is_near_that_duration) {
  for (caf::timespan x = 70us; x < 19h; x += x / 7) {
    latency_histogram subject;
    subject.add(x);
    BOOST_TEST(is_near(subject.distribution().percentile(50), x), x.count());
    BOOST_TEST(is_near(subject.distribution().percentile(99), x), x.count());
  }
}

BOOST_AUTO_TEST_CASE(percentiles_divide_the_durations_by_their_rank) {
  latency_histogram subject;
  for (int i = 100; i >= 1; --i)
    subject.add(i * 1ms);
  const auto found = subject.distribution().percentiles();
  BOOST_TEST(is_near(found.p50, 50ms));
  BOOST_TEST(is_near(found.p90, 90ms));
  BOOST_TEST(is_near(found.p99, 99ms));
}

BOOST_AUTO_TEST_CASE(durations_beyond_the_ends_count_as_the_ends) {
  latency_histogram subject;
  for (const caf::timespan x : {caf::timespan{-1s}, caf::timespan{0}, caf::timespan{1ns}})
    subject.add(x);
  BOOST_TEST(is_near(subject.distribution().percentile(99), 66us));
  for (const caf::timespan x : {caf::timespan{20h}, caf::timespan::max()})
    subject.add(x);
  BOOST_TEST((subject.distribution().percentile(99) > 18h));
  BOOST_TEST((subject.distribution().percentile(99) < 20h));
}

BOOST_AUTO_TEST_CASE(old_durations_are_forgotten_over_time) {
  latency_histogram subject;
  for (int i = 0; i < 10'000; ++i)
    subject.add(1s);
  BOOST_TEST(is_near(subject.distribution().percentile(50), 1s));
  for (int i = 0; i < 1'000'000; ++i)
    subject.add(1ms);
  BOOST_TEST(is_near(subject.distribution().percentile(99), 1ms));
}

BOOST_AUTO_TEST_CASE(
  of_two_distributions_that_are_added_the_percentiles_are_those_of_all_durations) {
  latency_histogram quick;
  latency_histogram slow;
  for (int i = 0; i < 900; ++i)
    quick.add(1ms);
  for (int i = 0; i < 100; ++i)
    slow.add(1s);
  latency_distribution both = quick.distribution();
  both.add(slow.distribution());
  BOOST_TEST(is_near(both.percentile(50), 1ms));
  BOOST_TEST(is_near(both.percentile(90), 1ms));
  BOOST_TEST(is_near(both.percentile(91), 1s));
  latency_distribution other_way = slow.distribution();
  other_way.add(quick.distribution());
  BOOST_TEST((other_way == both));
}

BOOST_AUTO_TEST_CASE(a_distribution_is_no_larger_than_its_ranges_whatever_the_network_brings) {
  latency_histogram longest;
  longest.add(caf::timespan::max());
  BOOST_TEST(longest.distribution().counts.size() == latency_distribution::ranges);
  latency_distribution endless;
  endless.counts.assign(100'000, ~std::uint64_t{0});
  latency_distribution total;
  total.add(endless);
  total.add(endless);
  BOOST_TEST(total.counts.size() == latency_distribution::ranges);
  BOOST_TEST((endless.percentile(99) <= 20h));
  BOOST_TEST((total.percentile(99) <= 20h));
}

BOOST_AUTO_TEST_SUITE_END()
