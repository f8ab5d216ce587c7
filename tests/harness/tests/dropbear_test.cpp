#include "ssh_client.hpp"
#include "sshexec/testing/dropbear_server.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace sshexec::test;
using namespace sshexec::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(harness_dropbear)

BOOST_AUTO_TEST_CASE(dropbear_counts_one_authentication) {
  const dropbear_server server;
  const auto answer = to(server).run("echo $USER; exit 7");
  BOOST_TEST(answer.status == 7);
  BOOST_TEST(answer.out == server.user() + '\n');
  BOOST_TEST(server.authentications() == 1U);
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(dropbear_accepts_no_other_key) {
  const dropbear_server server;
  const temporary_directory directory;
  client stranger = to(server);
  stranger.key = directory.path() / "key";
  make_key(stranger.key);
  BOOST_TEST(stranger.run("true").status == connection_failed);
  BOOST_TEST(server.authentications() == 0U);
}

BOOST_AUTO_TEST_CASE(several_dropbears_live_side_by_side) {
  const dropbear_server one;
  const dropbear_server other{{.address = "127.0.0.7"}};
  BOOST_TEST(to(one).run("true").status == 0);
  BOOST_TEST(to(other).run("echo $SSH_CONNECTION").out.find("127.0.0.7") != std::string::npos);
  client confused = to(one);
  confused.key = other.identity_file();
  BOOST_TEST(confused.run("true").status == connection_failed);
}

BOOST_AUTO_TEST_CASE(dropbear_takes_more_options) {
  const dropbear_server server{{.more = {"-c", "echo forced"}}};
  BOOST_TEST(to(server).run("echo mine").out == "forced\n");
}

BOOST_AUTO_TEST_CASE(dropbear_presents_the_host_key_it_tells) {
  dropbear_server server;
  client verbose = to(server);
  verbose.options = "-v";
  const std::string first = server.host_key_fingerprint();
  BOOST_TEST(verbose.run("true").err.find(first) != std::string::npos);
  server.stop();
  server.regenerate_host_key();
  server.restart();
  BOOST_TEST(server.host_key_fingerprint() != first);
  BOOST_TEST(verbose.run("true").err.find(server.host_key_fingerprint()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(dropbear_outlives_its_killed_sessions) {
  dropbear_server server;
  talk running{to(server).call("echo $$; sleep 1000")};
  const pid_t process = std::stoi(running.read_line());
  BOOST_TEST(is_running(process));
  server.kill_sessions();
  BOOST_TEST(!is_running(process));
  BOOST_TEST(running.end() == connection_failed);
  BOOST_TEST(to(server).run("true").status == 0);
}

BOOST_AUTO_TEST_CASE(a_suspended_dropbear_is_silent_until_it_is_resumed) {
  dropbear_server server;
  server.suspend();
  auto running = to(server).start("true");
  BOOST_TEST((running.wait_for(200ms) == std::future_status::timeout));
  server.resume();
  BOOST_TEST(running.get().status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
