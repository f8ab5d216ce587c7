#include "no_descriptors_left.hpp"
#include "sshexec/ssh/integrity_check.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace sshexec;
using ssh::cipher_family;

namespace {

struct offer {
  const char* description;
  bool aes_is_fast;
  ssh::cipher_families left_out;
  std::string ciphers;

  friend std::ostream& operator<<(std::ostream& out, const offer& x) {
    return out << x.description;
  }
};

const std::vector<offer> offers{
  {"all, with instructions for AES",
   true,
   {},
   "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,"
   "aes256-ctr,aes192-ctr,aes128-ctr"},
  {"all, without",
   false,
   {},
   "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
   "aes256-ctr,aes192-ctr,aes128-ctr"},
  {"no AES-GCM",
   true,
   {cipher_family::aes_gcm},
   "chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"},
  {"no ChaCha20-Poly1305",
   false,
   {cipher_family::chacha20_poly1305},
   "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"},
  {"no AES-CTR",
   true,
   {cipher_family::aes_ctr},
   "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com"},
  {"one is left",
   true,
   {cipher_family::aes_gcm, cipher_family::aes_ctr},
   "chacha20-poly1305@openssh.com"},
  {"none is left",
   true,
   {cipher_family::aes_gcm, cipher_family::chacha20_poly1305, cipher_family::aes_ctr},
   ""},
};

} // namespace

BOOST_AUTO_TEST_SUITE(integrity_check)

BOOST_DATA_TEST_CASE(ciphers_are_offered_by_speed_without_those_that_are_left_out, offers) {
  BOOST_TEST(ssh::ciphers_to_offer(sample.aes_is_fast, sample.left_out) == sample.ciphers);
}

BOOST_AUTO_TEST_CASE(the_libssh_at_hand_notices_altered_data_in_every_cipher) {
  const auto verdict = ssh::integrity_of_libssh();
  BOOST_REQUIRE(verdict);
  BOOST_TEST(verdict->left_out().empty());
}

BOOST_AUTO_TEST_CASE(a_libssh_that_takes_what_comes_is_found_out) {
  const auto verdict = ssh::check_integrity([](std::string&) {});
  BOOST_REQUIRE(verdict);
  BOOST_TEST(verdict->unsound.size() == ssh::all_cipher_families.size());
  BOOST_TEST(verdict->unusable.empty());
}

BOOST_AUTO_TEST_CASE(a_moment_without_descriptors_is_no_verdict_on_libssh) {
  const test::no_descriptors_left shortage;
  const auto verdict = ssh::check_integrity();
  BOOST_REQUIRE(!verdict);
  BOOST_TEST((verdict.error().kind == ssh::error_kind::shortage));
}

BOOST_AUTO_TEST_SUITE_END()
