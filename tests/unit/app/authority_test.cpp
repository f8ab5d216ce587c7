#include "files.hpp"
#include "sshexec/app/authority/authority.hpp"
#include "sshexec/app/authority/run_authority.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct directory_fixture {
  [[nodiscard]] fs::path file(const std::string& name) const {
    return directory.path() / "tls" / name;
  }

  /// Why it cannot be done.
  [[nodiscard]] std::string complaint(authority_options what = {}) const {
    what.directory = file("").string();
    try {
      run_authority(what);
    } catch (const std::runtime_error& reason) {
      return reason.what();
    }
    return {};
  }

  /// The state of each certificate of a name, the earliest end first.
  [[nodiscard]] std::vector<bool> revoked(const std::string& name) const {
    std::vector<bool> result;
    for (const issued_certificate& x : authority{file("")}.list()) {
      if (x.name == name)
        result.push_back(x.revoked);
    }
    return result;
  }

  testing::temporary_directory directory;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(authority_test, directory_fixture)

BOOST_AUTO_TEST_CASE(what_is_there_stays_as_it_is) {
  BOOST_TEST(complaint().empty());
  const auto key = read_file(file("hub.key"));
  const auto certificate = read_file(file("hub.crt"));
  const auto revocations = read_file(file("authority.crl"));
  fs::remove(file("client.key"));
  fs::remove(file("client.crt"));
  BOOST_TEST(complaint().empty());
  BOOST_TEST(read_file(file("hub.key")) == key);
  BOOST_TEST(read_file(file("hub.crt")) == certificate);
  BOOST_TEST(read_file(file("authority.crl")) == revocations);
  BOOST_TEST(fs::exists(file("client.crt")));
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_authority_is_named) {
  BOOST_TEST(complaint().empty());
  fs::remove(file("authority.key"));
  fs::remove(file("authority.crt"));
  fs::remove(file("authority.crl"));
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

BOOST_AUTO_TEST_CASE(a_key_is_replaced_only_by_force) {
  BOOST_TEST(complaint({.action = "issue", .name = "alice"}).empty());
  const auto key = read_file(file("alice.key"));
  BOOST_TEST(contains(complaint({.action = "issue", .name = "alice"}), "--force"));
  BOOST_TEST(read_file(file("alice.key")) == key);
  BOOST_TEST(complaint({.action = "issue", .name = "alice", .force = true}).empty());
  BOOST_TEST(read_file(file("alice.key")) != key);
}

BOOST_AUTO_TEST_CASE(a_renewed_certificate_has_the_same_key_and_role) {
  const authority subject{file("")};
  const tls_files files = subject.issue("hub-2", tls_role::server, {.until = 24h});
  const auto key = read_file(files.key);
  const auto certificate = read_file(files.certificate);
  BOOST_TEST(complaint({.action = "renew", .name = "hub-2"}).empty());
  BOOST_TEST(read_file(files.key) == key);
  BOOST_TEST(read_file(files.certificate) != certificate);
  BOOST_TEST(load_tls(files, tls_role::server).operator bool());
  const auto all = subject.list();
  BOOST_REQUIRE(all.size() == 2U);
  BOOST_TEST((all[0].role == tls_role::server && all[1].role == tls_role::server));
  BOOST_TEST((all[1].until - all[0].until > 24h * 363));
  BOOST_TEST(
    contains(complaint({.action = "renew", .name = "nobody"}), "no certificate of nobody"));
}

BOOST_AUTO_TEST_CASE(every_certificate_of_a_name_is_revoked_and_none_of_another) {
  const authority subject{file("")};
  for (const std::string name : {"alice", "bob"})
    subject.issue(name, tls_role::client);
  subject.renew("alice", {.until = 24h * 400});
  BOOST_TEST(subject.revoke("alice") == 2U);
  BOOST_TEST(revoked("alice") == (std::vector{true, true}), boost::test_tools::per_element());
  BOOST_TEST(revoked("bob") == std::vector{false}, boost::test_tools::per_element());
  BOOST_TEST(contains(complaint({.action = "renew", .name = "alice"}), "is revoked"));
  BOOST_TEST(subject.revoke("alice") == 0U);
  // With another key it is somebody else.
  subject.issue("alice", tls_role::client, {.until = 24h * 500});
  BOOST_TEST(revoked("alice") == (std::vector{true, true, false}),
             boost::test_tools::per_element());
  BOOST_TEST(
    contains(complaint({.action = "revoke", .name = "nobody"}), "no certificate of nobody"));
}

BOOST_AUTO_TEST_CASE(certificates_from_before_there_was_a_record_are_revoked_too) {
  const authority subject{file("")};
  subject.issue("alice", tls_role::client);
  subject.issue("bob", tls_role::client);
  fs::remove_all(file("issued"));
  BOOST_TEST(subject.revoke("alice") == 1U);
  subject.issue("bob", tls_role::client);
  BOOST_TEST(subject.revoke("bob") == 2U);
}

BOOST_AUTO_TEST_CASE(a_list_that_was_lost_is_not_begun_anew) {
  BOOST_TEST(complaint().empty());
  fs::remove(file("authority.crl"));
  BOOST_TEST(contains(complaint({.action = "list"}), "authority.crl is missing"));
  BOOST_TEST(!fs::exists(file("authority.crl")));
}

BOOST_AUTO_TEST_CASE(only_who_issues_makes_an_authority) {
  BOOST_TEST(contains(complaint({.action = "revoke", .name = "alice"}), "holds no authority"));
  BOOST_TEST(!fs::exists(file("")));
  BOOST_TEST(complaint({.action = "issue", .name = "alice"}).empty());
}

BOOST_AUTO_TEST_CASE(those_who_revoke_at_the_same_time_lose_nothing) {
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h"};
  for (const std::string& name : names)
    authority{file("")}.issue(name, tls_role::client);
  std::vector<std::future<std::size_t>> under_way;
  for (const std::string& name : names)
    under_way.push_back(
      std::async(std::launch::async, [this, &name] { return authority{file("")}.revoke(name); }));
  for (auto& each : under_way)
    BOOST_TEST(each.get() == 1U);
  for (const std::string& name : names)
    BOOST_TEST(revoked(name) == std::vector{true}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_certificate_outlives_the_authority) {
  const authority subject{file("")};
  subject.issue("alice", tls_role::client, {.until = 24h * 20000});
  BOOST_TEST((subject.list().at(0).until < std::chrono::system_clock::now() + 24h * 3651));
}

BOOST_AUTO_TEST_CASE(names_that_would_be_other_files_are_refused) {
  const std::vector<std::string> names{"../alice", ".alice", "-alice",
                                       "a/b",      "a b",    std::string(65, 'a')};
  for (const std::string& name : names)
    BOOST_TEST(contains(complaint({.action = "issue", .name = name}), "is no name"), name);
  BOOST_TEST(contains(complaint({.action = "issue", .name = "authority"}), "the authority itself"));
  BOOST_TEST(contains(complaint({.action = "issue"}), "name is required"));
  BOOST_TEST(contains(complaint({.action = "list", .name = "alice"}), "takes no name"));
}

BOOST_AUTO_TEST_CASE(a_list_of_another_authority_is_not_taken_for_ours) {
  BOOST_TEST(complaint().empty());
  const authority other{directory.path() / "other"};
  fs::copy_file(directory.path() / "other" / "authority.crl", file("authority.crl"),
                fs::copy_options::overwrite_existing);
  BOOST_TEST(contains(complaint({.action = "list"}), "no revocation list of this authority"));
}

BOOST_AUTO_TEST_SUITE_END()
