#include "sshexec/actors/runtime/duration_text.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace {

using namespace sshexec;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(duration_text_test)

BOOST_AUTO_TEST_CASE(a_measured_duration_is_rounded_to_what_people_read) {
  BOOST_TEST(to_text(30'000'694'111ns) == "30s");
  BOOST_TEST(to_text(1'234'567'890ns) == "1.23s");
  BOOST_TEST(to_text(41'500'001ns) == "41.5ms");
  BOOST_TEST(to_text(89'999'999'999ns) == "1min 30s");
}

BOOST_AUTO_TEST_CASE(a_setting_is_told_as_it_was_given) {
  BOOST_TEST(to_text(0s) == "0s");
  BOOST_TEST(to_text(1ms) == "1ms");
  BOOST_TEST(to_text(250ms) == "250ms");
  BOOST_TEST(to_text(1500ms) == "1.5s");
  BOOST_TEST(to_text(10s) == "10s");
  BOOST_TEST(to_text(5min) == "5min");
  BOOST_TEST(to_text(24h) == "24h");
  BOOST_TEST(to_text(1h + 5s) == "1h 5s");
}

BOOST_AUTO_TEST_CASE(what_rounds_up_to_the_next_unit_is_told_in_it) {
  BOOST_TEST(to_text(999'499us) == "999ms");
  BOOST_TEST(to_text(999'500us) == "1s");
  BOOST_TEST(to_text(59'949ms) == "59.9s");
  BOOST_TEST(to_text(59'950ms) == "1min");
}

BOOST_AUTO_TEST_CASE(the_smallest_and_a_negative_one_have_a_text) {
  BOOST_TEST(to_text(1ns) == "1ns");
  BOOST_TEST(to_text(-2s) == "-2s");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
