#include "crowd.hpp"
#include "hub.hpp"
#include "meeting_place.hpp"
#include "printed_process.hpp"
#include "resource_limit.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>

#include <chrono>
#include <csignal>
#include <future>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

/// What bit other SSH clients. More of it is in the tests of the supervisor, of hostile peers and
/// of dead ones; docs/reliability.md has the list.
namespace {

struct openssh_with_two_sessions : hub {
  testing::openssh_server server{{.configuration = "MaxSessions 2\n"}};
  machine target = machine_of(server);
};

settings settings_with_short_grace() {
  settings result = quick_settings();
  result.kill_grace = 100ms;
  return result;
}

command limited_command(std::string line, caf::timespan timeout) {
  command result = make_command(std::move(line));
  result.timeout = timeout;
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pitfalls)

BOOST_FIXTURE_TEST_CASE(commands_that_time_out_leave_their_channels_to_others,
                        openssh_with_two_sessions) {
  const std::vector<command> slow(6, limited_command("exec sleep 1000", 100ms));
  for (const answer& x : run(target, slow))
    BOOST_TEST(x.failed_with(error_code::command_timeout));
  const auto next = run(target, std::vector<command>(4, make_command("echo fine")));
  for (const answer& x : next)
    BOOST_TEST(x.succeeded());
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_ends_at_a_second_channel_serves_one_command_after_the_other,
                        hub) {
  const testing::scripted_server server{{.connections = [](unsigned) {
    return testing::connection_script{.max_channels = 1,
                                      .at_surplus_channel = testing::breakage::hang_up};
  }}};
  const machine target = machine_of(server);
  // The first ones tell it.
  run(target, std::vector<command>(2, make_command("echo fine")));
  for (const answer& x : run(target, std::vector<command>(6, make_command("echo fine")))) {
    BOOST_REQUIRE(x.succeeded());
    BOOST_TEST(x.outcome->attempts == 1U);
  }
}

BOOST_FIXTURE_TEST_CASE(more_machines_than_descriptors_are_served_one_after_the_other, hub) {
  // In processes of its own, so that the limit is the client's alone.
  const testing::openssh_server server;
  machine target = machine_of(server);
  const int next = ssh::file_descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)}.get();
  const resource_limit limit{RLIMIT_NOFILE, static_cast<rlim_t>(next) + 24};
  for (std::size_t i = 0; i < 60; ++i) {
    // Zeros in front change nothing of an address, and make another machine of it (inet_aton(3)).
    target.hostname = "127.0.0." + std::string(i, '0') + "1";
    const answer x = run(target, "echo fine");
    // How soon there is room again is no promise: it may take another attempt.
    BOOST_REQUIRE_MESSAGE(x.succeeded(), x.what().message);
  }
}

BOOST_AUTO_TEST_CASE(
  a_background_process_that_holds_the_output_open_costs_the_timeout_and_no_more) {
  const testing::openssh_server server;
  hub pool{settings_with_short_grace()};
  const auto answer
    = pool.run(machine_of(server), limited_command("sleep 1000 & echo $!; exit 7", 4s));
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  const failure what = answer.what();
  BOOST_TEST(what.message.find("it had exited, but its output had not ended") != std::string::npos);
  BOOST_TEST((what.progress == progress::finished));
  BOOST_TEST(!what.output.stdout_data.empty());
  ::kill(std::stoi(what.output.stdout_data), SIGKILL);
}

BOOST_AUTO_TEST_CASE(stdout_and_stderr_are_both_drained) {
  const testing::openssh_server server;
  hub pool;
  const auto answer
    = pool.run(machine_of(server), "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; "
                                   "head -c 5000000 /dev/zero >&2");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_bytes == 5'000'000U);
  BOOST_TEST(answer->output.stderr_bytes == 10'000'000U);
}

BOOST_AUTO_TEST_CASE(a_forced_command_that_cannot_be_signalled_says_that_its_end_is_unknown) {
  const testing::openssh_server server{{.configuration = "ForceCommand exec sleep 1000\n"}};
  hub pool{settings_with_short_grace()};
  const auto answer = pool.run(machine_of(server), limited_command("true", 200ms));
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::unknown));
}

BOOST_AUTO_TEST_CASE(a_server_that_ignores_signals_costs_the_grace_and_nothing_else) {
  testing::scripted_server server{{.commands = [](const std::string& line) {
    if (line == "true")
      return testing::print("fine");
    return testing::command_script{.steps = {testing::step::wait_for{"never"}},
                                   .on_signal = testing::signal_reaction::ignore};
  }}};
  hub pool{settings_with_short_grace()};
  const auto answer = pool.run(machine_of(server), limited_command("anything", 100ms));
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::unknown));
  BOOST_TEST(server.wait_for(testing::event::channel_closed));
  BOOST_TEST(count(server.record(), testing::event::signal_received, "TERM") == 1U);
  BOOST_TEST(count(server.record(), testing::event::signal_received, "KILL") == 1U);
  const auto next = pool.run(machine_of(server), "true");
  BOOST_REQUIRE(next.succeeded());
  BOOST_TEST(next->reused_connection);
}

BOOST_AUTO_TEST_CASE(a_child_in_a_session_of_its_own_survives_and_that_is_said) {
  const testing::openssh_server server;
  hub pool{settings_with_short_grace()};
  const auto answer
    = pool.run(machine_of(server), limited_command("setsid sleep 1000 & echo $!; wait", 4s));
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::unknown));
  BOOST_TEST((answer.what().progress == progress::may_have_run));
  BOOST_TEST(answer.what().message.find("may live on") != std::string::npos, answer.what().message);
  BOOST_TEST(printed_process{answer}.is_running());
}

BOOST_AUTO_TEST_CASE(a_child_that_left_without_a_trace_is_not_called_killed) {
  const testing::openssh_server server;
  hub pool;
  const auto answer
    = pool.run(machine_of(server),
               limited_command("setsid sleep 302 >/dev/null 2>&1 & echo $!; exec sleep 100", 2s));
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::signalled));
  BOOST_TEST(answer.what().message.find("--tracked") != std::string::npos, answer.what().message);
  BOOST_TEST(printed_process{answer}.is_running());
}

BOOST_AUTO_TEST_CASE(a_child_that_left_is_killed_with_its_tracked_command) {
  const testing::openssh_server server;
  hub pool;
  command what = limited_command("setsid sleep 302 >/dev/null 2>&1 & echo $!; exec sleep 100", 2s);
  what.tracked = true;
  const auto answer = pool.run(machine_of(server), what);
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::killed), answer.what().message);
  BOOST_TEST(!printed_process{answer}.is_running());
}

BOOST_AUTO_TEST_CASE(a_key_that_is_refused_is_offered_once_for_all_commands_that_wait) {
  constexpr std::size_t commands = 20;
  std::promise<void> all_wait;
  testing::scripted_server server{
    {.connections = [ready = all_wait.get_future().share()](unsigned) {
      ready.wait();
      return testing::connection_script{.keys = testing::accepted_keys::none};
    }}};
  hub pool;
  crowd callers{pool.system, pool.executor};
  callers.send(commands, machine_of(server), make_command("true"));
  // Refused by the executor itself, which has handed on the others then.
  callers.send(1, machine_of(server), make_command(""));
  const bool were_sent = callers.wait_for(1, 1min);
  all_wait.set_value();
  BOOST_REQUIRE(were_sent);
  BOOST_REQUIRE(callers.wait_for(commands + 1, 1min));
  BOOST_TEST(callers.failed_with(error_code::authentication_error) == commands);
  BOOST_TEST(server.wait_for(testing::event::disconnected));
  BOOST_TEST(count(server.record(), testing::event::connection_accepted) == 1U);
  BOOST_TEST(count(server.record(), testing::event::authentication_refused, "publickey") == 1U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_sshd_closes_for_being_unused_is_replaced_at_once) {
  const testing::openssh_server server{{.configuration = "UnusedConnectionTimeout 3s\n"}};
  hub pool{without_retries()};
  BOOST_TEST(pool.run(machine_of(server), "true").succeeded());
  BOOST_REQUIRE(server.wait_for_log("terminating inactive connection"));
  BOOST_TEST(pool.run(machine_of(server), "true").succeeded());
  BOOST_TEST(server.authentications() == 2U);
}

BOOST_AUTO_TEST_CASE(a_channel_that_sshd_closes_without_an_exit_status_is_no_success) {
  const testing::openssh_server server{{.configuration = "ChannelTimeout session:command=1s\n"}};
  hub pool;
  command quiet = make_command("exec sleep 1000");
  quiet.retry = retry_policy::never;
  const auto answer = pool.run(machine_of(server), quiet);
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST(answer.what().message.find("closed without an exit status") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(sick_machines_do_not_hold_up_a_healthy_one) {
  testing::scripted_server sick{{.connections = [](unsigned) {
    return testing::connection_script{
      .breaks = testing::fault{testing::phase::accepted, testing::breakage::silence}};
  }}};
  testing::scripted_server healthy;
  settings wanted = quick_settings();
  // They share an address.
  wanted.max_connects_per_host = 100;
  hub pool{wanted};
  caf::scoped_actor self{pool.system};
  for (int i = 0; i < 100; ++i) {
    machine target = machine_of(sick);
    target.id = std::to_string(i);
    self->send(pool.executor, execute_atom_v, target, make_command("true"));
  }
  BOOST_REQUIRE(sick.wait_for(testing::event::connection_accepted, 100));
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(pool.run(machine_of(healthy), "true").succeeded());
  BOOST_TEST(!self->has_next_message());
}

BOOST_AUTO_TEST_SUITE_END()
