#include "files.hpp"
#include "no_descriptors_left.hpp"
#include "sshexec/ssh/config/resolve.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

struct fixture {
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }

  ssh::config_result<ssh::ssh_options> resolve(const std::string& text) {
    write_file(path("config"), text);
    return ssh::resolve_config(ssh::named_config(path("config")), {"web"}, subject);
  }

  testing::temporary_directory folder;
  ssh::config_environment subject = ssh::system_environment(std::chrono::seconds{60});
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(system_environment_test, fixture)

BOOST_AUTO_TEST_CASE(the_status_of_a_command_is_that_of_the_user_s_shell) {
  BOOST_TEST(subject.run("exit 7").value() == 7);
  BOOST_TEST(subject.run("true && true").value() == 0);
  BOOST_TEST(subject.run("kill -9 $$").error().text == "it was ended by signal 9");
}

BOOST_AUTO_TEST_CASE(a_command_that_does_not_end_is_killed_with_its_group) {
  const auto impatient = ssh::system_environment(std::chrono::milliseconds{50});
  const std::string marker = path("marker");
  const auto status = impatient.run("sleep 1000 & echo $! > " + marker + "; sleep 1000");
  BOOST_REQUIRE(!status);
  BOOST_TEST(status.error().text == "it did not end within 50 ms");
  // Where the shell was too slow to write it there is nobody to look for.
  const pid_t child = std::atoi(read_file(marker).c_str());
  const auto end = child > 0 ? testing::end_of(child) : ssh::file_descriptor{};
  pollfd news{end.get(), POLLIN, 0};
  BOOST_TEST((!end || ::poll(&news, 1, -1) == 1));
}

BOOST_AUTO_TEST_CASE(a_command_leaves_no_descriptors_and_has_none_of_ours) {
  BOOST_TEST(subject.run("true").value() == 0);
  const auto descriptors = [] {
    return std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{});
  };
  const auto before = descriptors();
  BOOST_TEST(subject.run("test $(ls /proc/self/fd | wc -l) -le 4").value() == 0);
  BOOST_TEST(subject.run("read x").value() == 1);
  BOOST_TEST(descriptors() == before);
}

BOOST_AUTO_TEST_CASE(files_and_globs_are_read_from_the_disk) {
  write_file(path("a.conf"), "Port 1");
  write_file(path("b.conf"), "Port 2\nUser b");
  fs::create_directory(path("c.conf"));
  const auto options = resolve("Include " + path("*.conf"));
  BOOST_REQUIRE(options.has_value());
  BOOST_TEST(options->port == 1);
  BOOST_TEST(options->user == "b");
}

BOOST_AUTO_TEST_CASE(a_shortage_is_told_from_files_that_are_not_there) {
  write_file(path("a.conf"), "Port 1");
  BOOST_TEST(subject.find(path("b*.conf")).value().empty());
  BOOST_TEST(subject.find(path("none/*.conf")).value().empty());
  const no_descriptors_left guard;
  BOOST_TEST((subject.find(path("*.conf")).error().kind == ssh::error_kind::shortage));
  BOOST_TEST((subject.read(path("a.conf")).error().kind == ssh::error_kind::shortage));
}

BOOST_AUTO_TEST_CASE(a_folder_that_may_not_be_read_holds_nothing) {
  const without_privileges guard;
  BOOST_TEST(subject.find("/root/*.conf").value().empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_others_may_write_to_is_not_safe) {
  write_file(path("a"), "Port 1");
  for (const auto& [mode, is_safe] :
       std::vector<std::pair<mode_t, bool>>{{0600, true}, {0644, true}, {0646, false}}) {
    ::chmod(path("a").c_str(), mode);
    BOOST_TEST(subject.read(path("a")).value()->is_safe == is_safe, mode);
  }
  if (::getuid() != 0)
    return;
  // A group with other members than us, or a stranger's file.
  ::chmod(path("a").c_str(), 0664);
  BOOST_REQUIRE(::chown(path("a").c_str(), 0, 65534) == 0);
  BOOST_TEST(!subject.read(path("a")).value()->is_safe);
  ::chmod(path("a").c_str(), 0600);
  BOOST_REQUIRE(::chown(path("a").c_str(), 65534, 0) == 0);
  BOOST_TEST(!subject.read(path("a")).value()->is_safe);
}

BOOST_AUTO_TEST_CASE(files_that_are_missing_or_never_end_hold_nothing) {
  BOOST_TEST(!subject.read(path("none")).value());
  BOOST_TEST(!subject.read(path("none/such")).value());
  BOOST_REQUIRE(::mkfifo(path("pipe").c_str(), 0600) == 0);
  BOOST_TEST(subject.read(path("pipe")).value()->text.empty());
  BOOST_TEST(subject.read("/dev/zero").value()->text.empty());
  const without_privileges guard;
  BOOST_TEST(subject.read("/etc/shadow").error().text == "Permission denied");
}

BOOST_AUTO_TEST_CASE(who_we_are_is_what_the_system_says) {
  BOOST_TEST(subject.user_id == ::getuid());
  BOOST_TEST(subject.home_of(subject.user).value() == subject.home);
  BOOST_TEST(!subject.home_of("no-such-user-here"));
  BOOST_TEST(!subject.host_name.empty());
  BOOST_TEST(subject.look_up("127.0.0.1", ssh::address_family::inet).has_value());
  BOOST_TEST(!subject.look_up("127.0.0.1", ssh::address_family::inet6));
}

BOOST_AUTO_TEST_SUITE_END()
