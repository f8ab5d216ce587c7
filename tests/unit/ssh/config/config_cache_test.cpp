#include "played_system.hpp"
#include "sshexec/ssh/config/config_cache.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace sshexec;
using namespace sshexec::test;

struct fixture {
  /// The port for a host, or what is wrong.
  std::string port(const std::string& host = "web") {
    const auto options = subject.find({host});
    return options ? std::to_string(options->port) : to_text(options.error());
  }

  played_system system{{{"/home/me/.ssh/config", "Host web\nPort 1\nHost *\nInclude *.conf"}}};
  ssh::config_cache subject{ssh::usual_config(system.environment()), system.environment()};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(config_cache_test, fixture)

BOOST_AUTO_TEST_CASE(files_are_read_once_for_all_hosts) {
  BOOST_TEST(port() == "1");
  const auto count = system.files_read;
  BOOST_TEST(port() == "1");
  BOOST_TEST(port("db") == "22");
  BOOST_TEST(system.files_read == count);
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_is_read_again) {
  BOOST_TEST(port() == "1");
  system.files["/home/me/.ssh/config"] = "Port 2";
  BOOST_TEST(port() == "2");
}

BOOST_AUTO_TEST_CASE(a_file_that_comes_to_be_is_read) {
  BOOST_TEST(port("db") == "22");
  system.files["/etc/ssh/ssh_config"] = "Port 3";
  BOOST_TEST(port("db") == "3");
  system.files["/home/me/.ssh/a.conf"] = "Port 4";
  BOOST_TEST(port("db") == "4");
  system.files.erase("/home/me/.ssh/a.conf");
  BOOST_TEST(port("db") == "3");
}

BOOST_AUTO_TEST_CASE(what_is_said_with_a_host_is_part_of_the_question) {
  BOOST_TEST(port() == "1");
  BOOST_TEST(subject.find({"web", {}, {}, 5})->port == 5);
  BOOST_TEST(subject.find({"web", {"Port=6"}})->port == 6);
  BOOST_TEST(subject.find({"web", {}, "root"})->user == "root");
  BOOST_TEST(subject.find({"web"})->user == "me");
}

BOOST_AUTO_TEST_CASE(an_error_is_not_remembered) {
  system.files["/home/me/.ssh/config"] = "unreadable";
  BOOST_TEST(!subject.find({"web"}));
  // Nobody changed the file: it can be read now.
  system.files["/home/me/.ssh/config"] = "Port 7";
  BOOST_TEST(port() == "7");
  system.files["/home/me/.ssh/config"] = "Match exec x\nPort 8";
  BOOST_TEST(!subject.find({"web"}));
  system.commands["x"] = 0;
  BOOST_TEST(port() == "8");
}

BOOST_AUTO_TEST_CASE(what_a_command_decides_is_asked_for_each_time) {
  system.files["/home/me/.ssh/config"] = "Match exec x\nPort 8";
  system.commands["x"] = 0;
  BOOST_TEST(port() == "8");
  system.commands["x"] = 1;
  BOOST_TEST(port() == "22");
}

BOOST_AUTO_TEST_CASE(a_name_that_is_looked_up_is_looked_up_each_time) {
  system.files["/home/me/.ssh/config"] = "CanonicalizeHostname yes\nCanonicalDomains a.org b.org";
  system.hosts["web.b.org."] = "";
  BOOST_TEST(subject.find({"web"})->hostname == "web.b.org");
  system.hosts["web.a.org."] = "";
  BOOST_TEST(subject.find({"web"})->hostname == "web.a.org");
}

BOOST_AUTO_TEST_SUITE_END()
