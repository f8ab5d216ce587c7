#include "sshexec/actors/pool/retry_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

const time_point start{};
const setback refused{error_code::connection_error, connection_fault::refused, "refused"};

settings with_breaker() {
  settings result;
  result.breaker_threshold = 2;
  result.breaker_pause = 30s;
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(retries)

BOOST_AUTO_TEST_CASE(delays_follow_the_settings_and_the_last_one_is_repeated) {
  const retry_plan plan;
  const std::vector<duration> expected{1s, 2s, 4s, 4s, 4s};
  for (std::uint32_t failed = 1; failed <= expected.size(); ++failed)
    BOOST_TEST((plan.delay_after(failed) == expected[failed - 1]));
}

BOOST_AUTO_TEST_CASE(without_delays_there_is_no_retry) {
  settings none;
  none.retry_delays = {};
  const retry_plan plan{none};
  BOOST_TEST((plan.delay_after(1) == 0s));
  BOOST_TEST(plan.allowed_attempts(retry_policy::always) == 1U);
}

BOOST_AUTO_TEST_CASE(a_delay_is_lengthened_by_no_more_than_the_jitter) {
  settings config;
  config.retry_jitter = 0.5;
  const retry_plan plan{config};
  bool differed = false;
  for (int i = 0; i < 100; ++i) {
    const auto delay = plan.delay_after(2);
    BOOST_TEST((delay >= 2s && delay <= 3s));
    differed = differed || delay != plan.delay_after(2);
  }
  BOOST_TEST(differed);
}

BOOST_AUTO_TEST_CASE(each_policy_has_its_number_of_attempts) {
  const retry_plan plan;
  BOOST_TEST(plan.allowed_attempts(retry_policy::always) == 4U);
  BOOST_TEST(plan.allowed_attempts(retry_policy::only_if_not_started) == 4U);
  BOOST_TEST(plan.allowed_attempts(retry_policy::never) == 1U);
}

BOOST_AUTO_TEST_CASE(attempts_to_connect_that_fail_in_a_row_lengthen_the_delay) {
  retry_plan plan;
  plan.attempt_failed();
  BOOST_TEST((plan.delay() == 1s));
  plan.attempt_failed();
  BOOST_TEST((plan.delay() == 2s));
  plan.start_afresh();
  plan.attempt_failed();
  BOOST_TEST((plan.delay() == 1s));
}

BOOST_AUTO_TEST_CASE(the_breaker_opens_at_its_threshold_and_tells_the_last_reason) {
  retry_plan plan{with_breaker()};
  plan.round_failed(refused, start);
  BOOST_TEST(!plan.objection(start).has_value());
  plan.round_failed(refused, start);
  const auto objection = plan.objection(start + 30s - 1ns);
  BOOST_REQUIRE(objection.has_value());
  BOOST_TEST((objection->fault == connection_fault::refused));
  BOOST_TEST(objection->text == "refused; it failed again and again, so it is not tried for 30s");
}

BOOST_AUTO_TEST_CASE(behind_the_pause_one_attempt_decides) {
  retry_plan plan{with_breaker()};
  plan.round_failed(refused, start);
  plan.round_failed(refused, start);
  BOOST_TEST(!plan.objection(start + 30s).has_value());
  BOOST_TEST(plan.allowed_attempts(retry_policy::always) == 1U);
  plan.round_failed(refused, start + 31s);
  BOOST_TEST(plan.objection(start + 60s).has_value());
  plan.connected();
  BOOST_TEST(!plan.objection(start + 60s).has_value());
  BOOST_TEST(plan.allowed_attempts(retry_policy::always) == 4U);
}

BOOST_AUTO_TEST_CASE(what_says_nothing_about_the_machine_is_no_round) {
  for (const auto code : {error_code::cancelled, error_code::configuration_error,
                          error_code::host_key_error, error_code::overloaded}) {
    retry_plan plan{with_breaker()};
    plan.round_failed({code, connection_fault::none, "no fault of the machine"}, start);
    plan.round_failed({code, connection_fault::none, "no fault of the machine"}, start);
    BOOST_TEST(!plan.objection(start).has_value());
  }
}

BOOST_AUTO_TEST_CASE(new_credentials_close_the_breaker) {
  retry_plan plan{with_breaker()};
  plan.round_failed(refused, start);
  plan.round_failed(refused, start);
  plan.credentials_changed();
  BOOST_TEST(!plan.objection(start).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
