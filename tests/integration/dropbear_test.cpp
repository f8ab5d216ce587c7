#include "hub.hpp"
#include "meeting_place.hpp"
#include "printed_process.hpp"
#include "sshexec/testing/dropbear_server.hpp"
#include "sshexec/testing/process.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

/// The main promises once more, against a server of other authors.
namespace {

/// Dropbear 2022.83 fails when several commands run on one connection, so they take turns.
settings settings_for_dropbear() {
  settings result = quick_settings();
  result.max_channels = 1;
  return result;
}

struct dropbear : hub {
  dropbear() : hub(settings_for_dropbear()) {}

  testing::dropbear_server server;
  machine target = machine_of(server);
};

/// It prints the number of a process that its shell started.
command slow_command_with_a_child() {
  command result = make_command("sleep 302 >/dev/null 2>&1 & echo $!; exec sleep 100");
  result.timeout = 2s;
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(dropbear_server, dropbear)

BOOST_AUTO_TEST_CASE(a_command_returns_its_exit_code_stdout_and_stderr) {
  const auto answer = run(target, "echo out; echo err >&2; exit 42");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->exit_code == 42);
  BOOST_TEST(answer->output.stdout_data == "out\n");
  BOOST_TEST(answer->output.stderr_data == "err\n");
}

BOOST_AUTO_TEST_CASE(a_command_killed_by_a_signal_returns_the_signal) {
  const auto answer = run(target, "kill -KILL $$");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->exit_signal == "KILL");
  BOOST_TEST(answer->exit_code == -1);
}

BOOST_AUTO_TEST_CASE(a_hundred_commands_at_once_share_one_connection) {
  std::vector<command> commands;
  for (int i = 0; i < 100; ++i)
    commands.push_back(make_command("echo " + std::to_string(i)));
  const auto answers = run(target, commands);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    BOOST_REQUIRE(answers[i].succeeded());
    BOOST_TEST(answers[i]->output.stdout_data == std::to_string(i) + '\n');
  }
  BOOST_TEST(server.authentications() == 1U);
}

/// It dies of an assertion of its own, or refuses some of the commands.
BOOST_AUTO_TEST_CASE(a_dropbear_that_fails_of_commands_side_by_side_is_survived) {
  hub side_by_side;
  const auto answers
    = side_by_side.run(target, std::vector<command>(50, make_command("echo fine")));
  for (const answer& x : answers) {
    if (x.succeeded())
      BOOST_TEST(x->output.stdout_data == "fine\n");
    else
      BOOST_TEST(
        (x.failed_with(error_code::connection_error) || x.failed_with(error_code::rejected)));
  }
  BOOST_TEST(run(target, "true").succeeded());
}

BOOST_AUTO_TEST_CASE(a_command_beyond_its_timeout_is_killed_and_its_partial_output_returned) {
  const meeting_place place;
  auto slow = make_command("echo started; echo $$ > " + place.pipe() + "; exec sleep 1000");
  slow.timeout = 3s;
  auto process = std::async(std::launch::async, [&] { return place.read_line(); });
  const auto answers = run(target, {slow, make_command("echo fine")});
  BOOST_TEST(answers[0].failed_with(error_code::command_timeout));
  BOOST_TEST(answers[0].what().output.stdout_data == "started\n");
  BOOST_TEST((answers[0].what().termination == termination::unknown));
  BOOST_TEST(!testing::is_running(std::stoi(process.get())));
  BOOST_REQUIRE(answers[1].succeeded());
  BOOST_TEST(answers[1]->output.stdout_data == "fine\n");
  BOOST_TEST(server.authentications() == 1U);
}

/// It signals the shell alone.
BOOST_AUTO_TEST_CASE(what_the_shell_of_a_command_started_is_not_called_killed) {
  const auto answer = run(target, slow_command_with_a_child());
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::unknown));
  BOOST_TEST(answer.what().message.find("--tracked") != std::string::npos, answer.what().message);
  BOOST_TEST(printed_process{answer}.is_running());
}

BOOST_AUTO_TEST_CASE(a_tracked_command_is_killed_with_what_its_shell_started) {
  command slow = slow_command_with_a_child();
  slow.tracked = true;
  const auto answer = run(target, slow);
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::killed), answer.what().message);
  BOOST_TEST(!printed_process{answer}.is_running());
}

BOOST_AUTO_TEST_CASE(ten_mb_with_all_byte_values_go_in_and_come_out_unchanged) {
  auto echo = make_command("cat");
  for (std::size_t i = 0; i < 10'000'000; ++i)
    echo.stdin_data.push_back(static_cast<char>(i));
  const auto answer = run(target, echo);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST((answer->output.stdout_data == echo.stdin_data));
}

BOOST_AUTO_TEST_CASE(a_connection_dropped_during_a_command_is_followed_by_a_retry_on_a_new_one) {
  const meeting_place place;
  const auto marker = place.file("marker");
  auto running = std::async(std::launch::async, [&] {
    BOOST_TEST(place.read_line() == "started");
    server.kill_sessions();
  });
  const auto answer = run(target, "if [ -e " + marker + " ]; then echo again; else touch " + marker
                                    + "; echo started > " + place.pipe() + "; sleep 1000; fi");
  running.get();
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "again\n");
  BOOST_TEST(answer->attempts == 2U);
  BOOST_TEST(server.authentications() == 2U);
}

BOOST_AUTO_TEST_CASE(a_pooled_connection_that_died_while_idle_is_replaced_at_once) {
  hub pool{without_retries(settings_for_dropbear())};
  BOOST_TEST(pool.run(target, "true").succeeded());
  server.kill_sessions();
  BOOST_TEST(pool.run(target, "echo back").succeeded());
  BOOST_TEST(server.authentications() == 2U);
}

BOOST_AUTO_TEST_CASE(a_wrong_key_gives_an_authentication_error_with_the_methods) {
  target.identity_file = directory.path() / "wrong_key";
  testing::make_key(target.identity_file);
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::authentication_error));
  BOOST_TEST(answer.what().message.find("publickey") != std::string::npos);
  BOOST_TEST(answer.what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(a_changed_host_key_is_refused) {
  BOOST_TEST(run(target, "true").succeeded());
  const std::string expected = server.host_key_fingerprint();
  server.stop();
  server.regenerate_host_key();
  server.restart();
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::host_key_error));
  BOOST_TEST(answer.what().message.find(expected) != std::string::npos);
  BOOST_TEST(answer.what().message.find(server.host_key_fingerprint()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_variable_that_is_refused_is_told) {
  auto greet = make_command("echo fine");
  greet.environment["GREETING"] = "hello";
  const auto answer = run(target, greet);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_REQUIRE(answer->refused_environment.size() == 1);
  BOOST_TEST(answer->refused_environment[0] == "GREETING");
}

BOOST_AUTO_TEST_CASE(a_connection_that_dropbear_closes_for_being_idle_is_replaced_at_once) {
  const testing::dropbear_server impatient{{.more = {"-I", "4"}}};
  hub pool{without_retries(settings_for_dropbear())};
  BOOST_TEST(pool.run(machine_of(impatient), "true").succeeded());
  BOOST_REQUIRE(impatient.wait_for_log("Idle timeout"));
  BOOST_TEST(pool.run(machine_of(impatient), "true").succeeded());
  BOOST_TEST(impatient.authentications() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
