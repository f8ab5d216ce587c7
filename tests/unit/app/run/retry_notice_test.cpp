#include "sshexec/app/run/retry_notice.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace sshexec;
using namespace sshexec::app;
using namespace std::chrono_literals;

namespace {

const std::vector<caf::timespan> delays{1s, 2s, 4s};

pool_event failed_attempt(std::uint32_t attempt) {
  pool_event x;
  x.kind = pool_event_kind::connect_failed;
  x.machine.hostname = "web-1";
  x.outcome = error_code::connection_error;
  x.detail = "Connection refused";
  x.attempt = attempt;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(retry_notices)

BOOST_AUTO_TEST_CASE(a_failed_attempt_is_told_with_the_time_of_the_next_one) {
  const auto notice = retry_notice(failed_attempt(2), delays);
  BOOST_REQUIRE(notice);
  BOOST_TEST(*notice == "web-1: Connection refused; trying again in 2s (3 of 4)");
}

BOOST_AUTO_TEST_CASE(nothing_is_told_when_no_attempt_follows) {
  BOOST_TEST(!retry_notice(failed_attempt(4), delays));
  BOOST_TEST(!retry_notice(failed_attempt(1), {}));
  pool_event refused = failed_attempt(1);
  refused.outcome = error_code::authentication_error;
  BOOST_TEST(!retry_notice(refused, delays));
  pool_event other = failed_attempt(1);
  other.kind = pool_event_kind::connection_lost;
  BOOST_TEST(!retry_notice(other, delays));
}

BOOST_AUTO_TEST_SUITE_END()
