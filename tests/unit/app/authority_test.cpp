#include "files.hpp"
#include "sshexec/app/authority.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;
namespace fs = std::filesystem;

namespace {

struct directory_fixture {
  [[nodiscard]] fs::path file(const std::string& name) const {
    return directory.path() / "tls" / name;
  }

  /// Why the files cannot be made.
  [[nodiscard]] std::string complaint() const {
    try {
      run_authority(file("").string());
    } catch (const std::runtime_error& reason) {
      return reason.what();
    }
    return {};
  }

  testing::temporary_directory directory;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(authority_test, directory_fixture)

BOOST_AUTO_TEST_CASE(what_is_there_stays_as_it_is) {
  BOOST_TEST(complaint().empty());
  const auto key = read_file(file("hub.key"));
  const auto certificate = read_file(file("hub.crt"));
  fs::remove(file("client.key"));
  fs::remove(file("client.crt"));
  BOOST_TEST(complaint().empty());
  BOOST_TEST(read_file(file("hub.key")) == key);
  BOOST_TEST(read_file(file("hub.crt")) == certificate);
  BOOST_TEST(fs::exists(file("client.crt")));
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_authority_is_named) {
  BOOST_TEST(complaint().empty());
  fs::remove(file("authority.key"));
  fs::remove(file("authority.crt"));
  BOOST_TEST(contains(complaint(), "hub.crt is not of this authority"));
}

BOOST_AUTO_TEST_CASE(no_key_is_replaced_because_its_certificate_is_missing) {
  BOOST_TEST(complaint().empty());
  for (const std::string name : {"hub", "client", "authority"}) {
    const auto key = read_file(file(name + ".key"));
    const auto certificate = read_file(file(name + ".crt"));
    fs::remove(file(name + ".crt"));
    BOOST_TEST(contains(complaint(), name + ".crt"));
    BOOST_TEST(read_file(file(name + ".key")) == key);
    write_file(file(name + ".crt"), certificate);
  }
  BOOST_TEST(complaint().empty());
}

BOOST_AUTO_TEST_SUITE_END()
