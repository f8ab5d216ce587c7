#include "direct_client.hpp"
#include "meeting_place.hpp"
#include "preconditions.hpp"
#include "sshexec/ssh/tracked_command.hpp"
#include "sshexec/testing/dropbear_server.hpp"
#include "sshexec/testing/openssh_server.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

const std::string token = "b3e97cf20d81";

ssh::exec_request tracked(std::string line) {
  ssh::exec_request result;
  result.command = std::move(line);
  result.max_output = 10'000;
  result.tracked = token;
  return result;
}

/// Whether a process runs; one that only waits to be buried does not.
bool is_alive(int process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(") ");
  return name_end != std::string::npos && line.substr(name_end + 2, 1) != "Z";
}

template <class Server>
struct site {
  Server server;
  direct_client client{server};
  /// Dropbear 2022.83 cannot be trusted with two commands at once on one connection.
  direct_client second{server};
  direct_client& killer = std::is_same_v<Server, testing::openssh_server> ? client : second;
  meeting_place place;

  /// Starts a tracked command, which has to write process numbers to the pipe, and returns them.
  std::vector<int> start(const std::string& line) {
    client.start(1, tracked(line));
    BOOST_TEST_REQUIRE(client.until([&] { return client[1].process_group.has_value(); }));
    std::istringstream numbers{place.read_line()};
    std::vector<int> result;
    for (int number = 0; numbers >> number;)
      result.push_back(number);
    for (const int process : result)
      BOOST_TEST_REQUIRE(is_alive(process));
    return result;
  }

  std::optional<ssh::kill_report> kill(std::chrono::milliseconds grace) {
    const auto outcome = killer.run(2, ssh::kill_request(*client[1].process_group, token, grace));
    return outcome ? ssh::parse_kill_report(outcome->stdout_data) : std::nullopt;
  }

  void check_that_all_die(const std::string& line, std::chrono::milliseconds grace = 10s) {
    const auto processes = start(line);
    const auto report = kill(grace);
    BOOST_TEST_REQUIRE(report.has_value());
    BOOST_TEST(report->survivors.empty());
    for (const int process : processes)
      BOOST_TEST(!is_alive(process));
    BOOST_TEST(client.until([&] { return client[1].closed; }));
  }
};

using openssh = site<testing::openssh_server>;
using servers = std::tuple<testing::openssh_server, testing::dropbear_server>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(tracked_command, openssh)

BOOST_AUTO_TEST_CASE(tracking_changes_nothing_that_a_command_shows) {
  const auto outcome = client.run(1, tracked("cat; echo 'it'\\''s'; echo error >&2; exit 5"));
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->stdout_data == "it's\n");
  BOOST_TEST(outcome->stderr_data == "error\n");
  BOOST_TEST(outcome->stderr_bytes == 6U);
  BOOST_TEST(*outcome->exit_status == 5U);
  BOOST_TEST(client[1].process_group.has_value());
}

BOOST_AUTO_TEST_CASE(the_process_that_is_told_is_the_command) {
  const auto outcome = client.run(1, tracked("echo $$"));
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->stdout_data == std::to_string(*client[1].process_group) + '\n');
}

BOOST_AUTO_TEST_CASE(a_death_by_signal_is_seen_through_the_tracking) {
  const auto outcome = client.run(1, tracked("kill -9 $$"));
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->exit_signal == "KILL");
}

BOOST_AUTO_TEST_CASE(tracking_is_as_invisible_in_a_stream) {
  auto request = tracked("echo error >&2; echo fine");
  request.streamed = true;
  BOOST_TEST_REQUIRE(client.run(1, request).has_value());
  BOOST_TEST(client[1].streamed_err == "error\n");
  BOOST_TEST(client[1].streamed_out == "fine\n");
}

BOOST_AUTO_TEST_CASE(tracking_is_as_invisible_on_a_terminal,
                     *boost::unit_test::precondition(needs_terminals)) {
  auto request = tracked("echo error >&2; echo fine");
  request.streamed = true;
  request.terminal = {.type = "xterm"};
  BOOST_TEST_REQUIRE(client.run(1, request).has_value());
  BOOST_TEST(client[1].streamed_out == "error\r\nfine\r\n");
  BOOST_TEST(client[1].process_group.has_value());
}

BOOST_AUTO_TEST_CASE(a_command_that_the_server_replaces_is_untracked_and_whole) {
  const testing::openssh_server forcing{
    {.configuration = "ForceCommand echo out; printf b3e9 >&2\n"}};
  direct_client other{forcing};
  const auto outcome = other.run(1, tracked("true"));
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->stdout_data == "out\n");
  BOOST_TEST(outcome->stderr_data == "b3e9");
  BOOST_TEST(!other[1].process_group.has_value());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(a_kill_reaches_the_group_and_those_that_left_it, Server, servers,
                                 site<Server>) {
  this->check_that_all_die("sleep 777 & a=$!; setsid sleep 777 & b=$!; echo $$ $a $b >"
                           + this->place.pipe() + "; wait");
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(a_kill_reaches_who_ignores_the_first_signal, Server, servers,
                                 site<Server>) {
  this->check_that_all_die(
    "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & "
    "echo $$ $! >"
      + this->place.pipe() + "; while :; do sleep 1; done",
    300ms);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_kill_reaches_orphans_by_their_mark_and_unmarked_ones_by_their_parents, Server, servers,
  site<Server>) {
  this->check_that_all_die("orphan=$(setsid sh -c 'sleep 777 >/dev/null 2>&1 & echo $!'); "
                           "setsid env -i sleep 777 & echo $$ $orphan $! >"
                           + this->place.pipe() + "; wait");
}

BOOST_AUTO_TEST_CASE(a_kill_of_a_command_that_is_over_finds_nothing) {
  BOOST_TEST_REQUIRE(client.run(1, tracked("true")).has_value());
  const auto report = kill(10s);
  BOOST_TEST_REQUIRE(report.has_value());
  BOOST_TEST(report->survivors.empty());
}

BOOST_AUTO_TEST_CASE(who_survives_a_kill_is_named) {
  if (::geteuid() != 0)
    return;
  // A process of ours, in a group of its own, is none that the server's user may kill.
  const pid_t process = ::fork();
  if (process == 0) {
    ::setpgid(0, 0);
    ::pause();
    ::_exit(0);
  }
  ::setpgid(process, process);
  client[1].process_group = process;
  const auto report = kill(0s);
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
  BOOST_TEST_REQUIRE(report.has_value());
  BOOST_TEST_REQUIRE(report->survivors.size() == 1U);
  BOOST_TEST(report->survivors[0] == static_cast<std::uint32_t>(process));
}

BOOST_AUTO_TEST_SUITE_END()
