#include "sshexec/actors/fleet/rollout_tally.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <vector>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

machine_outcome ended(std::uint64_t index, std::int32_t exit_code) {
  machine_outcome result;
  result.index = index;
  result.kind = outcome_kind::ended;
  result.result.exit_code = exit_code;
  return result;
}

machine_outcome failed(std::uint64_t index, error_code code) {
  machine_outcome result;
  result.index = index;
  result.kind = outcome_kind::failed;
  result.code = code;
  return result;
}

machine_outcome skipped(std::uint64_t index, skip_reason reason) {
  machine_outcome result;
  result.index = index;
  result.reason = reason;
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(rollout_tally_test)

BOOST_AUTO_TEST_CASE(each_outcome_is_counted_by_its_kind) {
  rollout_tally subject{9};
  subject.add(skipped(5, skip_reason::cancelled));
  subject.add(failed(4, error_code::host_key_error));
  subject.add(ended(3, -1));
  subject.add(ended(2, 7));
  subject.add(ended(1, 0));
  subject.add(ended(0, 0));
  const rollout_progress progress = subject.progress();
  BOOST_TEST(progress.all == 9U);
  BOOST_TEST(progress.succeeded == 2U);
  BOOST_TEST(progress.ended_otherwise == 2U);
  BOOST_TEST(progress.failed == 1U);
  BOOST_TEST(progress.never_started == 1U);
  const rollout_summary summary = subject.take_summary(3s);
  BOOST_TEST(summary.all == 9U);
  BOOST_TEST(summary.succeeded == 2U);
  BOOST_TEST(
    (summary.exit_codes == std::map<std::int32_t, std::uint64_t>{{-1, 1}, {0, 2}, {7, 1}}));
  BOOST_TEST(summary.errors.at(error_code::host_key_error) == 1U);
  BOOST_TEST(summary.never_started.at(skip_reason::cancelled) == 1U);
  BOOST_TEST(summary.unsuccessful == (std::vector<std::uint64_t>{2, 3, 4, 5}),
             boost::test_tools::per_element());
  BOOST_TEST((summary.duration == 3s));
}

BOOST_AUTO_TEST_CASE(what_counts_as_a_failure_is_the_rollouts_choice) {
  const auto strict = failure_rule::errors_and_exit_codes;
  const auto lenient = failure_rule::errors_only;
  BOOST_TEST(!counts_as_failure(ended(0, 0), strict));
  BOOST_TEST(counts_as_failure(ended(0, 1), strict));
  BOOST_TEST(counts_as_failure(ended(0, -1), strict));
  BOOST_TEST(counts_as_failure(failed(0, error_code::cancelled), strict));
  BOOST_TEST(!counts_as_failure(skipped(0, skip_reason::deadline), strict));
  BOOST_TEST(!counts_as_failure(ended(0, 1), lenient));
  BOOST_TEST(!counts_as_failure(ended(0, -1), lenient));
  BOOST_TEST(counts_as_failure(failed(0, error_code::cancelled), lenient));
}

BOOST_AUTO_TEST_SUITE_END()
