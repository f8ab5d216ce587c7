#include "sshexec/actors/pool/host_key_verdict.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sshexec;

namespace {

const ssh::host_key first{"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIGZpcnN0"};
const ssh::host_key second{"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIHNlY29uZA=="};

struct row {
  host_key_policy policy;
  std::vector<ssh::host_key> trusted;
  std::vector<ssh::host_key> revoked;
  host_key_verdict::kind verdict;
  std::string reason;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_host_key_is_judged_by_policy_and_record) {
  using policy = host_key_policy;
  using kind = host_key_verdict::kind;
  const std::vector<row> table{
    {policy::accept_new, {}, {}, kind::remember, ""},
    {policy::accept_new, {first}, {}, kind::trust, ""},
    {policy::accept_new, {second, first}, {}, kind::trust, ""},
    {policy::accept_new, {second}, {}, kind::refuse, "the host key changed: expected"},
    {policy::accept_new, {}, {first}, kind::refuse, "the host key is revoked"},
    {policy::accept_new, {first}, {first}, kind::refuse, "the host key is revoked"},
    {policy::accept_new, {}, {second}, kind::remember, ""},
    {policy::strict, {}, {}, kind::refuse, "the host key is unknown"},
    {policy::strict, {first}, {}, kind::trust, ""},
    {policy::strict, {second}, {}, kind::refuse, "the host key changed: expected"},
    {policy::off, {second}, {first}, kind::trust, ""},
  };
  for (const row& x : table) {
    BOOST_TEST_CONTEXT(to_string(x.policy) << ", " << x.trusted.size() << " trusted, "
                                           << x.revoked.size() << " revoked") {
      const host_key_verdict verdict = judge(x.policy, {x.trusted, x.revoked}, first);
      BOOST_TEST((verdict.what == x.verdict));
      BOOST_TEST(verdict.reason.starts_with(x.reason));
      BOOST_TEST(verdict.reason.empty() == x.reason.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_key_of_the_usual_port_will_do_where_there_is_no_other) {
  using kind = host_key_verdict::kind;
  BOOST_TEST((judge(host_key_policy::strict, {{}, {}, {first}}, first).what == kind::trust));
  BOOST_TEST((judge(host_key_policy::strict, {{}, {}, {second}}, first).what == kind::refuse));
  BOOST_TEST(
    (judge(host_key_policy::accept_new, {{}, {}, {second}}, first).what == kind::remember));
  BOOST_TEST((judge(host_key_policy::strict, {{}, {first}, {first}}, first).what == kind::refuse));
  BOOST_TEST((judge(host_key_policy::strict, {{second}, {}, {first}}, first).what == kind::refuse));
}

BOOST_AUTO_TEST_CASE(a_changed_host_key_is_told_with_both_fingerprints) {
  const auto verdict = judge(host_key_policy::accept_new, {{second}, {}}, first);
  BOOST_TEST(verdict.reason.find(ssh::fingerprint(first)) != std::string::npos);
  BOOST_TEST(verdict.reason.find(ssh::fingerprint(second)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_changed_host_key_is_told_with_the_place_of_the_old_one) {
  ssh::known_keys known{{second}, {}};
  known.file = "/home/me/.ssh/known_hosts";
  known.line = 3;
  const auto verdict = judge(host_key_policy::accept_new, known, first);
  BOOST_TEST(verdict.reason.find("(recorded in /home/me/.ssh/known_hosts:3)") != std::string::npos,
             verdict.reason);
}
