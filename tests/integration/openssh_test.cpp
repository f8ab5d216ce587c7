#include "hub.hpp"
#include "meeting_place.hpp"
#include "preconditions.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <future>
#include <numeric>
#include <string>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

struct openssh : hub {
  explicit openssh(settings wanted = quick_settings()) : hub(std::move(wanted)) {}

  testing::openssh_server server;
  machine target = machine_of(server);
};

/// For a command that ignores TERM, whose grace passes.
struct openssh_with_short_grace : openssh {
  openssh_with_short_grace()
    : openssh([] {
        settings result = quick_settings();
        result.kill_grace = 3s;
        return result;
      }()) {}
};

std::string all_byte_values(std::size_t size) {
  std::string result(size, '\0');
  std::iota(result.begin(), result.end(), '\0');
  return result;
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream{path, std::ios::binary} << content;
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(0644));
}

bool is_running(const std::string& process) {
  return ::kill(std::stoi(process), 0) == 0;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(openssh_server, openssh)

BOOST_AUTO_TEST_CASE(a_valid_command_returns_exit_code_0_stdout_stderr_and_duration) {
  const auto answer = run(target, "echo out; echo err >&2; sleep 0.05");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->exit_code == 0);
  BOOST_TEST(answer->output.stdout_data == "out\n");
  BOOST_TEST(answer->output.stderr_data == "err\n");
  BOOST_TEST((answer->duration >= 50ms));
  BOOST_TEST((answer->times.run >= 50ms));
  BOOST_TEST((answer->duration == answer->times.queue + answer->times.connect + answer->times.run));
}

BOOST_AUTO_TEST_CASE(a_failing_command_returns_its_exit_code_and_stderr) {
  const auto answer = run(target, "echo broken >&2; exit 42");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->exit_code == 42);
  BOOST_TEST(answer->output.stderr_data == "broken\n");
}

BOOST_AUTO_TEST_CASE(a_command_killed_by_a_signal_returns_the_signal) {
  const auto answer = run(target, "kill -KILL $$");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->exit_signal == "KILL");
  BOOST_TEST(answer->exit_code == -1);
}

BOOST_AUTO_TEST_CASE(several_commands_use_one_connection) {
  for (int i = 0; i < 5; ++i) {
    const auto answer = run(target, "true");
    BOOST_REQUIRE(answer.succeeded());
    BOOST_TEST(answer->reused_connection == (i > 0));
  }
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(fifty_commands_at_once_all_succeed_although_max_sessions_is_10) {
  std::vector<command> commands;
  for (int i = 0; i < 50; ++i)
    commands.push_back(make_command("echo " + std::to_string(i)));
  const auto answers = run(target, commands);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    BOOST_REQUIRE(answers[i].succeeded());
    BOOST_TEST(answers[i]->output.stdout_data == std::to_string(i) + '\n');
  }
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_command_beyond_its_timeout_is_killed_and_its_partial_output_returned) {
  const meeting_place place;
  auto slow
    = make_command("echo started; echo warned >&2; echo $$ > " + place.pipe() + "; sleep 1000");
  slow.timeout = 4s;
  auto process = std::async(std::launch::async, [&] { return place.read_line(); });
  const auto answer = run(target, slow);
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  const failure what = answer.what();
  BOOST_TEST(what.output.stdout_data == "started\n");
  BOOST_TEST(what.output.stderr_data == "warned\n");
  BOOST_TEST((what.termination == termination::signalled));
  BOOST_TEST((what.progress == progress::may_have_run));
  BOOST_TEST(!is_running(process.get()));
}

BOOST_FIXTURE_TEST_CASE(a_command_that_ignores_term_is_killed_all_the_same,
                        openssh_with_short_grace) {
  const meeting_place place;
  auto stubborn
    = make_command("trap '' TERM; echo $$ > " + place.pipe() + "; while :; do sleep 1; done");
  stubborn.timeout = 4s;
  auto process = std::async(std::launch::async, [&] { return place.read_line(); });
  const auto answer = run(target, stubborn);
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::signalled));
  BOOST_TEST(!is_running(process.get()));
}

BOOST_AUTO_TEST_CASE(the_neighbours_of_a_command_that_is_killed_go_on_undisturbed) {
  auto slow = make_command("sleep 1000");
  slow.timeout = 100ms;
  const auto answers = run(target, {slow, make_command("sleep 0.5; echo fine")});
  BOOST_TEST(answers[0].failed_with(error_code::command_timeout));
  BOOST_REQUIRE(answers[1].succeeded());
  BOOST_TEST(answers[1]->output.stdout_data == "fine\n");
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_key_gives_an_authentication_error_with_user_host_and_methods) {
  target.identity_file = directory.path() / "wrong_key";
  testing::make_key(target.identity_file);
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::authentication_error));
  const std::string text = answer.what().message;
  BOOST_TEST(text.find(server.user() + '@' + server.host()) != std::string::npos);
  BOOST_TEST(text.find("publickey") != std::string::npos);
  BOOST_TEST(answer.what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(a_missing_key_file_gives_a_configuration_error_with_the_path) {
  target.identity_file = directory.path() / "no_such_key";
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::configuration_error));
  BOOST_TEST(answer.what().message.find(target.identity_file) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_exist_gives_a_connection_error_with_the_name) {
  target.hostname = "no-such-host.invalid";
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::name_not_found));
  BOOST_TEST(answer.what().message.find("no-such-host.invalid") != std::string::npos);
  BOOST_TEST(answer.what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(all_addresses_of_a_name_are_tried,
                     *boost::unit_test::precondition(needs_hosts_file)) {
  // Resolves to ::1 as well as to 127.0.0.1 on most systems; the server listens on one of them.
  target.hostname = "localhost";
  BOOST_TEST(run(target, "true").succeeded());
}

BOOST_AUTO_TEST_CASE(a_refused_address_is_retried_and_gives_a_connection_error) {
  server.stop();
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  const failure what = answer.what();
  BOOST_TEST((what.fault == connection_fault::refused));
  BOOST_TEST(what.attempts == 4U);
  BOOST_TEST(what.message.find(server.host() + ':' + std::to_string(server.port()))
             != std::string::npos);
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
  hub pool{without_retries()};
  BOOST_TEST(pool.run(target, "true").succeeded());
  server.kill_sessions();
  const auto answer = pool.run(target, "echo back");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "back\n");
  BOOST_TEST(server.authentications() == 2U);
}

BOOST_AUTO_TEST_CASE(a_changed_host_key_gives_an_error_with_both_fingerprints) {
  BOOST_TEST(run(target, "true").succeeded());
  const std::string expected = server.host_key_fingerprint();
  server.stop();
  server.regenerate_host_key();
  server.restart();
  const auto authentications = server.authentications();
  const auto answer = run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::host_key_error));
  const std::string text = answer.what().message;
  BOOST_TEST(text.find(expected) != std::string::npos);
  BOOST_TEST(text.find(server.host_key_fingerprint()) != std::string::npos);
  BOOST_TEST(answer.what().attempts == 1U);
  BOOST_TEST(server.authentications() == authentications);
}

BOOST_AUTO_TEST_CASE(an_unknown_host_key_is_remembered_where_openssh_finds_it) {
  BOOST_TEST(run(target, "true").succeeded());
  const auto file = (directory.path() / "known_hosts").string();
  const std::string look_up = "ssh-keygen -l -F '[" + server.host()
                              + "]:" + std::to_string(server.port()) + "' -f " + file
                              + " | grep -q " + server.host_key_fingerprint();
  BOOST_TEST(std::system(look_up.c_str()) == 0);
}

BOOST_AUTO_TEST_CASE(stdout_of_10_mb_with_all_byte_values_arrives_unchanged) {
  const meeting_place place;
  const std::string content = all_byte_values(10'000'000);
  write_file(place.file("data"), content);
  const auto answer = run(target, "cat " + place.file("data"));
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST((answer->output.stdout_data == content));
  BOOST_TEST(!answer->output.truncated());
}

BOOST_AUTO_TEST_CASE(output_is_kept_up_to_the_cap_and_what_was_cut_is_told) {
  auto exact = make_command("head -c 1000 /dev/zero");
  exact.max_output = 1000;
  auto beyond = make_command("head -c 1001 /dev/zero; head -c 5000 /dev/zero >&2");
  beyond.max_output = 1000;
  const auto answers = run(target, {exact, beyond});
  BOOST_REQUIRE(answers[0].succeeded());
  BOOST_TEST(!answers[0]->output.truncated());
  BOOST_REQUIRE(answers[1].succeeded());
  BOOST_TEST(answers[1]->output.truncated());
  BOOST_TEST(answers[1]->output.stdout_data.size() == 1000U);
  BOOST_TEST(answers[1]->output.stdout_bytes == 1001U);
  BOOST_TEST(answers[1]->output.stderr_data.size() == 1000U);
  BOOST_TEST(answers[1]->output.stderr_bytes == 5000U);
}

BOOST_AUTO_TEST_CASE(the_cap_is_16_mib_by_default) {
  const auto answer = run(target, "head -c 16777217 /dev/zero");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data.size() == 16777216U);
  BOOST_TEST(answer->output.stdout_bytes == 16777217U);
}

BOOST_AUTO_TEST_CASE(stdin_reaches_the_command_as_it_is) {
  auto echo = make_command("cat");
  echo.stdin_data = all_byte_values(5'000'000);
  const auto answer = run(target, echo);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST((answer->output.stdout_data == echo.stdin_data));
}

BOOST_AUTO_TEST_CASE(a_command_that_reads_meets_the_end_of_its_input) {
  BOOST_TEST(run(target, "cat").succeeded());
}

BOOST_AUTO_TEST_CASE(an_environment_variable_that_the_server_refuses_is_told) {
  auto greet = make_command("echo \"$GREETING\"");
  greet.environment["GREETING"] = "hello";
  const auto answer = run(target, greet);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_REQUIRE(answer->refused_environment.size() == 1);
  BOOST_TEST(answer->refused_environment[0] == "GREETING");
}

BOOST_AUTO_TEST_CASE(every_execution_is_one_journal_line) {
  run(target, "true");
  run(target, "exit 3");
  run(target, "");
  run(target, "echo 'one\n2026-01-01T00:00:00Z forged \x1b[31m'");
  target.identity_file = "/no/such/key";
  run(target, "true");
  shut_down();
  const auto lines = journal();
  BOOST_REQUIRE(lines.size() == 5);
  BOOST_TEST(lines[0].find("ok") != std::string::npos);
  BOOST_TEST(lines[0].find(server.user() + '@' + server.host()) != std::string::npos);
  BOOST_TEST(lines[1].find("3") != std::string::npos);
  BOOST_TEST(lines[2].find("invalid_argument") != std::string::npos);
  BOOST_TEST(lines[3].find('\x1b') == std::string::npos);
  BOOST_TEST(lines[4].find("configuration_error") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(shutting_down_answers_a_running_command_and_ends_it) {
  const meeting_place place;
  std::string process;
  auto ending = std::async(std::launch::async, [&] {
    process = place.read_line();
    caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
  });
  const auto answer = run(target, "echo begun; echo $$ > " + place.pipe() + "; exec sleep 1000");
  ending.get();
  BOOST_TEST(answer.failed_with(error_code::shutting_down));
  BOOST_TEST((answer.what().progress == progress::may_have_run));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(openssh_server_configurations)

BOOST_FIXTURE_TEST_CASE(keys_are_exchanged_anew_in_the_middle_of_commands, hub) {
  testing::openssh_server::options options;
  options.configuration = "RekeyLimit 64K\n";
  options.log_level = "DEBUG1";
  const testing::openssh_server server{options};
  command echo = make_command("cat");
  echo.stdin_data = all_byte_values(1'000'000);
  for (const answer& answer : run(machine_of(server), {echo, echo, echo})) {
    BOOST_REQUIRE(answer.succeeded());
    BOOST_TEST((answer->output.stdout_data == echo.stdin_data));
    BOOST_TEST(answer->attempts == 1U);
  }
  BOOST_TEST(server.authentications() == 1U);
  const std::string log = server.log();
  const std::string exchange = "SSH2_MSG_NEWKEYS received";
  BOOST_TEST(log.find(exchange) != log.rfind(exchange));
}

BOOST_AUTO_TEST_CASE(an_environment_variable_that_the_server_accepts_reaches_the_command) {
  testing::openssh_server::options options;
  options.configuration = "AcceptEnv GREETING\n";
  const testing::openssh_server server{options};
  hub pool;
  auto greet = make_command("echo \"$GREETING\"");
  greet.environment["GREETING"] = "hello";
  const auto answer = pool.run(machine_of(server), greet);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "hello\n");
  BOOST_TEST(answer->refused_environment.empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_host_key_is_refused_by_strict) {
  const testing::openssh_server server;
  settings wanted = quick_settings();
  wanted.host_key_policy = host_key_policy::strict;
  hub pool{wanted};
  const auto answer = pool.run(machine_of(server), "true");
  BOOST_TEST(answer.failed_with(error_code::host_key_error));
  BOOST_TEST(server.authentications() == 0U);
  BOOST_TEST(!std::filesystem::exists(pool.directory.path() / "known_hosts"));
}

BOOST_AUTO_TEST_CASE(an_unknown_host_key_is_accepted_and_forgotten_by_off) {
  const testing::openssh_server server;
  settings wanted = quick_settings();
  wanted.host_key_policy = host_key_policy::off;
  hub pool{wanted};
  BOOST_TEST(pool.run(machine_of(server), "true").succeeded());
  BOOST_TEST(!std::filesystem::exists(pool.directory.path() / "known_hosts"));
}

BOOST_AUTO_TEST_CASE(two_executors_live_in_one_system) {
  const testing::openssh_server server;
  hub pool;
  settings wanted = quick_settings();
  wanted.host_key_policy = host_key_policy::off;
  wanted.journal = "none";
  const auto second = *spawn_executor(pool.system, wanted);
  {
    caf::scoped_actor self{pool.system};
    self->request(second, caf::infinite, execute_atom_v, machine_of(server), make_command("true"))
      .receive([](const command_result& result) { BOOST_TEST(result.exit_code == 0); },
               [](const caf::error& error) { BOOST_ERROR(to_failure(error).message); });
  }
  BOOST_TEST(pool.run(machine_of(server), "true").succeeded());
  BOOST_TEST(server.authentications() == 2U);
  caf::anon_send_exit(second, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(an_owner_ends_its_executor_and_what_runs_on_it) {
  const testing::openssh_server server;
  hub pool;
  settings wanted = quick_settings();
  wanted.host_key_policy = host_key_policy::off;
  wanted.journal = "none";
  caf::scoped_actor self{pool.system};
  const auto request = [&](const executor_actor& executor, const std::string& line) {
    return self->request(executor, caf::infinite, execute_atom_v, machine_of(server),
                         make_command(line));
  };
  const auto ends_with_the_executor = [&](auto pending) {
    pending.receive(
      [](const command_result&) { BOOST_ERROR("the command should not have ended"); },
      [](const caf::error& error) { BOOST_TEST((code_of(error) == error_code::shutting_down)); });
  };
  executor_actor ended;
  auto pending = [&] {
    const scoped_executor owner{pool.system, *spawn_executor(pool.system, wanted)};
    ended = *owner;
    return request(ended, "sleep 1000");
  }();
  ends_with_the_executor(std::move(pending));
  ends_with_the_executor(request(ended, "true"));
}

BOOST_AUTO_TEST_SUITE_END()
