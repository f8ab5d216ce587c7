#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
namespace ev = sshexec::ssh::event;

namespace {

struct accept_new_pool : simulated_pool {
  static settings wanted(host_key_policy policy) {
    settings result = default_settings();
    result.host_key_policy = policy;
    return result;
  }

  explicit accept_new_pool(host_key_policy policy = host_key_policy::accept_new)
    : simulated_pool(wanted(policy)) {
    network.on_start = succeed_at_once;
    network.on_dial = [](simulated_connection& connection) {
      connection.emit(ev::host_key_presented{seen_key()});
    };
  }

  static ssh::host_key seen_key() {
    return {"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIFmsvsFuZ/hDV3YqLrAWcq4kV8P0Uh4rPZxPQ7DEc1Tg"};
  }

  static ssh::host_key other_key() {
    return {"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIGmsvsFuZ/hDV3YqLrAWcq4kV8P0Uh4rPZxPQ7DEc1Tg"};
  }
};

struct strict_pool : accept_new_pool {
  strict_pool() : accept_new_pool(host_key_policy::strict) {}
};

struct unchecking_pool : accept_new_pool {
  unchecking_pool() : accept_new_pool(host_key_policy::off) {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(host_key_policies)

BOOST_FIXTURE_TEST_CASE(no_password_is_given_to_whom_nobody_checks, unchecking_pool) {
  password = ssh::secret{"open sesame"};
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(connection().settings.password.empty());
}

BOOST_FIXTURE_TEST_CASE(a_checked_host_is_given_the_password, accept_new_pool) {
  password = ssh::secret{"open sesame"};
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(connection().settings.password.text() == "open sesame");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_host_key_is_remembered, accept_new_pool) {
  const auto answer = request(some_command());
  BOOST_TEST(answer->result.has_value());
  BOOST_REQUIRE(remembered.size() == 1);
  BOOST_TEST((remembered[0] == seen_key()));
}

BOOST_FIXTURE_TEST_CASE(a_known_host_key_is_accepted_by_strict, strict_pool) {
  known_keys.trusted = {other_key(), seen_key()};
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(remembered.empty());
}

BOOST_FIXTURE_TEST_CASE(an_unknown_host_key_is_refused_by_strict, strict_pool) {
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::host_key_error));
  BOOST_TEST(remembered.empty());
}

BOOST_FIXTURE_TEST_CASE(a_changed_host_key_is_refused_with_both_fingerprints, accept_new_pool) {
  known_keys.trusted = {other_key()};
  bool authentication_begun = false;
  network.on_dial = [&](simulated_connection& connection) {
    connection.emit(ev::host_key_presented{seen_key()});
    authentication_begun = connection.authentication_begun;
  };
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::host_key_error));
  const std::string text = answer->what().message;
  BOOST_TEST(text.find(ssh::fingerprint(seen_key())) != std::string::npos);
  BOOST_TEST(text.find(ssh::fingerprint(other_key())) != std::string::npos);
  BOOST_TEST(!authentication_begun);
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(answer->what().attempts == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_revoked_host_key_is_refused, accept_new_pool) {
  known_keys.revoked = {seen_key()};
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::host_key_error));
}

BOOST_AUTO_TEST_SUITE_END()
