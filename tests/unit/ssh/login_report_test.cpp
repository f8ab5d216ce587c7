#include "sshexec/ssh/handles.hpp"
#include "sshexec/ssh/login_report.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;

namespace {

/// One that failed here for a moment, and nowhere for good.
ssh::login_report with_busy_agent() {
  ssh::login_report result{"bob", {}};
  result.failed({ssh::error_kind::shortage, "the agent is busy"});
  return result;
}

ssh::error_kind kind_of_refusal(const ssh::login_report& report) {
  const ssh::session_handle session{ssh_new()};
  return report.refusal(session.get()).kind;
}

} // namespace

BOOST_AUTO_TEST_SUITE(login_reports)

BOOST_AUTO_TEST_CASE(a_refusal_may_pass_with_what_failed_for_a_moment) {
  auto report = with_busy_agent();
  report.asked();
  BOOST_TEST((kind_of_refusal(report) == ssh::error_kind::shortage));
}

BOOST_AUTO_TEST_CASE(a_refused_password_is_final_whatever_became_of_an_agent) {
  auto report = with_busy_agent();
  report.offered_password();
  BOOST_TEST((kind_of_refusal(report) == ssh::error_kind::authentication));
  report.refused_password();
  BOOST_TEST((kind_of_refusal(report) == ssh::error_kind::authentication));
}

BOOST_AUTO_TEST_SUITE_END()
