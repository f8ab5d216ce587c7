#include "files.hpp"
#include "sshexec/ssh/certificate.hpp"
#include "sshexec/testing/key_files.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <ctime>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::ssh;

namespace {

struct certificate_fixture {
  certificate_fixture() {
    for (const std::string name : {"key", "authority"})
      testing::make_key(path(name));
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory.path() / name; }

  /// The text of a certificate that ssh-keygen makes with these options.
  [[nodiscard]] std::string make(std::vector<std::string> options) const {
    testing::arguments line{"ssh-keygen", "-q", "-s", path("authority")};
    line.insert(line.end(), options.begin(), options.end());
    line.push_back(path("key.pub"));
    testing::require_program(line);
    return test::read_file(path("key-cert.pub"));
  }

  testing::temporary_directory directory;
};

/// The second word of a line.
std::string second_word(const std::string& line) {
  const auto start = line.find(' ') + 1;
  return line.substr(start, line.find_first_of(" \n", start) - start);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(certificate_test, certificate_fixture)

BOOST_AUTO_TEST_CASE(what_a_certificate_says_is_read) {
  const auto x = read_certificate(make({"-I", "the \x1b key", "-n", "alice,bob", "-z", "7"}));
  BOOST_REQUIRE(x);
  BOOST_TEST(x->key_id == "the ? key");
  BOOST_TEST(x->principals == (std::vector<std::string>{"alice", "bob"}),
             boost::test_tools::per_element());
  BOOST_TEST(x->authority == testing::key_fingerprint(path("authority")));
  BOOST_TEST(x->valid_after == 0U);
  BOOST_TEST(x->valid_before == std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(is_of(*x, second_word(test::read_file(path("key.pub")))));
  BOOST_TEST(!is_of(*x, second_word(test::read_file(path("authority.pub")))));
}

BOOST_AUTO_TEST_CASE(what_is_no_certificate_of_a_user_is_none) {
  BOOST_TEST(!read_certificate({}));
  BOOST_TEST(!read_certificate("ssh-ed25519-cert-v01@openssh.com"));
  BOOST_TEST(!read_certificate("ssh-ed25519-cert-v01@openssh.com ===="));
  BOOST_TEST(!read_certificate(test::read_file(path("key.pub"))));
  BOOST_TEST(!read_certificate(make({"-I", "host", "-h"})));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_cut_off_does_no_harm) {
  const std::string text = make({"-I", "deploy", "-n", "alice"});
  const auto start = text.find(' ') + 1;
  for (std::size_t size = start; size < text.find_last_of(' '); ++size)
    read_certificate(text.substr(0, size));
  // In front of the authority.
  BOOST_TEST(!read_certificate(text.substr(0, start + 120)));
}

BOOST_AUTO_TEST_CASE(a_certificate_is_described_with_its_time) {
  certificate x;
  x.key_id = "deploy";
  x.authority = "SHA256:abc";
  x.valid_after = 1000;
  x.valid_before = 2000;
  const std::vector<std::pair<std::time_t, std::string>> table{
    {999, "not valid before 1970-01-01 00:16:40 UTC"},
    {1000, "valid until 1970-01-01 00:33:20 UTC"},
    {1999, "valid until 1970-01-01 00:33:20 UTC"},
    {2000, "expired 1970-01-01 00:33:20 UTC"},
  };
  for (const auto& [now, said] : table)
    BOOST_TEST(describe(x, now) == "certificate \"deploy\", signed by SHA256:abc, " + said);
  x.principals = {"alice", "bob"};
  x.valid_before = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(describe(x, 1000)
             == "certificate \"deploy\" for alice, bob, signed by SHA256:abc, valid for ever");
}

BOOST_AUTO_TEST_SUITE_END()
