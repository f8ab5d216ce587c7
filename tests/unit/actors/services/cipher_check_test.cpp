#include "actor_fixture.hpp"
#include "files.hpp"
#include "sshexec/actors/services/cipher_check.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
using ssh::cipher_families;
using ssh::cipher_family;

/// A verdict that is not the one on the libssh at hand.
struct cipher_check_fixture : actor_fixture {
  cipher_check_fixture() {
    settings.check = [this] {
      ++checks;
      return verdict;
    };
    // At once, so that all is said in front of the answer.
    settings.start = [](caf::actor_system&, const std::function<void()>& job) {
      job();
      return true;
    };
    settings.tell = [this](const std::string& text) { told.push_back(text); };
  }

  caf::expected<cipher_families> left_out() {
    if (!subject)
      subject = start(cipher_check_actor{system.spawn(cipher_check, settings)});
    return ask<cipher_families>(subject, check_atom::value);
  }

  cipher_check_settings settings;
  ssh::result<ssh::integrity_verdict> verdict;
  std::atomic<int> checks = 0;
  std::vector<std::string> told;
  cipher_check_actor subject;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cipher_check_test, cipher_check_fixture)

BOOST_AUTO_TEST_CASE(a_libssh_that_notices_everything_is_checked_once_and_no_word_said) {
  for (int i = 0; i < 3; ++i) {
    const auto answer = left_out();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->empty());
  }
  BOOST_TEST(checks == 1);
  BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(ciphers_with_which_altered_data_is_not_noticed_are_left_out_and_told_once) {
  verdict->unsound = {cipher_family::aes_gcm};
  for (int i = 0; i < 2; ++i)
    BOOST_TEST((left_out() == cipher_families{cipher_family::aes_gcm}));
  BOOST_REQUIRE(told.size() == 1U);
  BOOST_TEST(told.front()
             == "libssh does not notice altered data in AES-GCM, which is therefore not offered: "
                "update libssh");
}

BOOST_AUTO_TEST_CASE(ciphers_that_libssh_cannot_use_here_are_left_out_without_a_word) {
  verdict->unusable = {cipher_family::chacha20_poly1305};
  BOOST_TEST((left_out() == verdict->unusable));
  BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(a_libssh_that_notices_nothing_is_a_matter_of_configuration) {
  verdict->unsound = {cipher_family::aes_gcm, cipher_family::aes_ctr};
  verdict->unusable = {cipher_family::chacha20_poly1305};
  for (int i = 0; i < 2; ++i) {
    const auto answer = left_out();
    BOOST_REQUIRE(!answer);
    BOOST_TEST(is(answer.error(), error_code::configuration_error));
    BOOST_TEST(contains(to_failure(answer.error()).message, "update libssh"));
  }
}

BOOST_AUTO_TEST_CASE(a_check_that_fails_for_a_moment_is_made_again) {
  verdict = tl::unexpected{ssh::error{ssh::error_kind::shortage, "Too many open files"}};
  const auto answer = left_out();
  BOOST_REQUIRE(!answer);
  BOOST_TEST(contains(to_failure(answer.error()).message, "Too many open files"));
  verdict = ssh::integrity_verdict{};
  BOOST_TEST(left_out().engaged());
}

BOOST_AUTO_TEST_CASE(a_moment_without_a_thread_for_the_check_passes) {
  std::atomic<bool> is_short = true;
  settings.start = [&is_short](caf::actor_system& in, std::function<void()> job) {
    return !is_short && start_thread(in, std::move(job));
  };
  BOOST_TEST(!left_out().engaged());
  is_short = false;
  BOOST_TEST(left_out().engaged());
}

BOOST_AUTO_TEST_SUITE_END()
