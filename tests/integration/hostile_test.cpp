#include "hub.hpp"
#include "sshexec/testing/hostile_peer.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace data = boost::unit_test::data;

namespace {

/// One for all tests of this file, since Python starts slowly.
std::optional<testing::hostile_peer> the_peer;

struct peer_process {
  peer_process() { the_peer.emplace(); }

  ~peer_process() { the_peer.reset(); }
};

settings bounded_settings() {
  settings result = quick_settings();
  result.command_timeout = 1min;
  result.kill_grace = 100ms;
  // What is said of the next channel concerns the next command.
  result.spare_channel = false;
  return result;
}

struct hostile : hub {
  explicit hostile(settings wanted = bounded_settings()) : hub(std::move(wanted)) {}

  machine target = [] {
    machine result;
    result.hostname = the_peer->host();
    result.port = the_peer->port();
    result.username = "anyone";
    result.identity_file = the_peer->client_key_file();
    return result;
  }();

  /// Nothing is left of what came before, on a connection that serves on.
  void require_that_the_connection_goes_on() {
    const auto next = run(target, "say fine");
    BOOST_REQUIRE(next.succeeded());
    BOOST_TEST(next->output.stdout_data == "fine");
    BOOST_TEST(next->reused_connection);
  }

  void require_that_the_machine_serves() {
    const auto next = run(target, "say fine");
    BOOST_REQUIRE(next.succeeded());
    BOOST_TEST(next->output.stdout_data == "fine");
    BOOST_TEST(next->attempts == 1U);
  }

  /// To be called last.
  void require_answers(std::size_t count) {
    shut_down();
    BOOST_TEST(journal().size() == count);
  }
};

/// Soon gives up what shows no sign of life.
struct impatient : hostile {
  impatient()
    : hostile([] {
        settings result = bounded_settings();
        result.keepalive_interval = 2s;
        return result;
      }()) {}
};

/// A behaviour that tells an outcome correctly, whatever else it does.
struct told_outcome {
  std::string line;
  std::string output = {};
  int exit_code = 0;
  std::string exit_signal = {};

  friend std::ostream& operator<<(std::ostream& out, const told_outcome& x) {
    return out << x.line;
  }
};

// Message numbers (RFC 4250 §4.1.2).
const std::string request_failure = "82";
const std::string channel_open_failure = "92";
const std::string channel_failure = "100";

const std::vector<told_outcome> told_outcomes{
  {.line = "data-after-eof", .output = "before"},
  {.line = "data-after-close", .output = "before"},
  {.line = "second-eof"},
  {.line = "second-close"},
  {.line = "request-after-close", .exit_code = 3},
  {.line = "second-exit-status", .exit_code = 3},
  {.line = "exit-status-before-output", .output = "late", .exit_code = 3},
  {.line = "exit-signal KILL", .exit_code = -1, .exit_signal = "KILL"},
  {.line = "exit-signal nonsense@example.org",
   .exit_code = -1,
   .exit_signal = "nonsense@example.org"},
  {.line = "unprintable-exit-signal", .exit_code = -1, .exit_signal = "\xff\n\x1b[31m"},
  {.line = "output-before-answer", .output = "early"},
  {.line = "second-answer success"},
  {.line = "second-answer failure"},
  {.line = "rekey 1", .output = "before after "},
  {.line = "rekey 3", .output = "before after after after "},
  {.line = "global-request nonsense@example.org", .output = request_failure},
  {.line = "global-request hostkeys-00@openssh.com", .output = request_failure},
  {.line = "channel-request nonsense@example.org", .output = channel_failure},
  {.line = "channel-request exec true", .output = channel_failure},
  {.line = "channel-request keepalive@openssh.com", .output = channel_failure},
  {.line = "open-channel session", .output = channel_open_failure},
  {.line = "open-channel nonsense@example.org", .output = channel_open_failure},
  {.line = "unknown-message 19", .output = "unimplemented"},
  {.line = "unknown-message 127", .output = "unimplemented"},
  {.line = "unknown-message 255", .output = "unimplemented"},
  {.line = "noise", .output = "clear"},
  {.line = "foreign-channel 4711"},
};

/// A behaviour whose channel ends without one.
const std::vector<std::string> untold_outcomes{
  "close-without-outcome", "close-for-answer",      "exit-status-after-close",
  "malformed-exit-status", "malformed-exit-signal", "nameless-exit-signal",
};

const std::vector<std::string> paces{"", "slowly "};

void require_result(const answer& given, const told_outcome& told) {
  BOOST_REQUIRE_MESSAGE(given.succeeded(), given.what().message);
  BOOST_TEST(given->output.stdout_data == told.output);
  BOOST_TEST(given->output.stderr_data == "");
  BOOST_TEST(given->exit_code == told.exit_code);
  BOOST_TEST(given->exit_signal == told.exit_signal);
}

command once(std::string line) {
  command result = make_command(std::move(line));
  result.retry = retry_policy::never;
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(hostile_peer, *boost::unit_test::fixture<peer_process>())

BOOST_DATA_TEST_CASE_F(hostile, a_command_whose_outcome_is_told_correctly_gives_its_result,
                       data::make(told_outcomes) * data::make(paces), told, pace) {
  const auto answer = run(target, pace + told.line);
  require_result(answer, told);
  require_that_the_connection_goes_on();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, data_beyond_the_window_is_taken,
                       data::make({"1", "1000000"}) * data::make(paces), excess, pace) {
  const auto answer = run(target, once(pace + "data-past-window " + excess));
  BOOST_REQUIRE(answer.succeeded());
  const std::string& output = answer->output.stdout_data;
  BOOST_TEST(std::to_string(output.size()) == answer->output.stderr_data);
  BOOST_TEST((output == std::string(output.size(), 'x')));
  require_that_the_connection_goes_on();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, a_window_that_overflows_costs_its_own_command_at_most,
                       data::make(paces), pace) {
  const auto answer = run(target, once(pace + "window-overflow"));
  // RFC 4254 §5.2 forbids it, and newer versions of libssh end the connection for it.
  if (answer.succeeded())
    require_result(answer, {});
  else
    BOOST_TEST((answer.what().fault == connection_fault::protocol), answer.what().message);
  require_that_the_machine_serves();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, a_command_whose_outcome_is_not_told_gives_a_connection_error,
                       data::make(untold_outcomes) * data::make(paces), line, pace) {
  const auto answer = run(target, once(pace + line));
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::dropped));
  BOOST_TEST((answer.what().progress == progress::may_have_run));
  require_that_the_connection_goes_on();
  require_answers(2);
}

BOOST_FIXTURE_TEST_CASE(a_command_whose_outcome_is_not_told_is_tried_again, hostile) {
  const auto answer = run(target, "close-without-outcome");
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST(answer.what().attempts == 4U);
  BOOST_TEST(answer.what().output.stdout_data == "partial");
  require_that_the_connection_goes_on();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, a_refused_command_stays_refused_whatever_follows, data::make(paces),
                       pace) {
  const auto answer = run(target, pace + "outcome-of-refused");
  BOOST_TEST(answer.failed_with(error_code::rejected));
  BOOST_TEST((answer.what().progress == progress::not_started));
  require_that_the_connection_goes_on();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, a_disconnect_for_whatever_reason_is_told_and_tried_again,
                       data::xrange(17U), reason) {
  const auto answer = run(target, "disconnect " + std::to_string(reason));
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  const failure what = answer.what();
  // libssh forgets the reason when it has something to write at the same moment.
  const bool misunderstood = reason == 2 || reason == 3;
  BOOST_TEST((what.fault == connection_fault::dropped
              || (misunderstood && what.fault == connection_fault::protocol)));
  BOOST_TEST(what.attempts == 4U);
  BOOST_TEST((what.progress == progress::may_have_run));
  require_that_the_machine_serves();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, a_broken_packet_ends_the_connection_with_a_protocol_error,
                       data::make({"0", "16", "262177", "2147483647", "4294967295"}), length) {
  const auto answer = run(target, std::string{"broken-packet "} + length);
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  const failure what = answer.what();
  BOOST_TEST((what.fault == connection_fault::protocol));
  BOOST_TEST((what.progress == progress::may_have_run));
  BOOST_TEST(what.output.stdout_data == "partial");
  require_that_the_machine_serves();
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, a_channel_refused_for_whatever_reason_waits_for_its_neighbour,
                       data::make({"1", "2", "3", "4", "0", "4294967295"}), reason) {
  BOOST_REQUIRE(run(target, std::string{"openings confirm refuse:"} + reason).succeeded());
  const auto answers = run(target, {once("until-refusal"), once("say fine")});
  BOOST_TEST(answers[0].succeeded());
  BOOST_REQUIRE(answers[1].succeeded());
  BOOST_TEST(answers[1]->output.stdout_data == "fine");
  BOOST_TEST(answers[1]->reused_connection);
  require_that_the_connection_goes_on();
  require_answers(4);
}

BOOST_DATA_TEST_CASE_F(hostile, a_channel_refused_without_neighbours_is_tried_again_after_a_moment,
                       data::make({"1", "2", "3", "4", "4294967295"}), reason) {
  BOOST_REQUIRE(run(target, std::string{"openings refuse:"} + reason).succeeded());
  const auto answer = run(target, "say fine");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "fine");
  BOOST_TEST(answer->reused_connection);
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(a_connection_that_goes_on_refusing_channels_is_replaced, hostile) {
  BOOST_REQUIRE(run(target, "openings refuse:1 refuse:1 refuse:1 refuse:1").succeeded());
  const auto answer = run(target, "say fine");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "fine");
  BOOST_TEST(!answer->reused_connection);
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_DATA_TEST_CASE_F(hostile, a_channel_that_is_answered_twice_serves_all_the_same,
                       data::make({"confirm-twice", "confirm-and-refuse"}), opening) {
  BOOST_REQUIRE(run(target, std::string{"openings "} + opening).succeeded());
  const auto answer = run(target, once("say fine"));
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "fine");
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(a_channel_that_closes_as_it_opens_is_followed_by_another_one, hostile) {
  BOOST_REQUIRE(run(target, "openings confirm-and-close").succeeded());
  const auto answer = run(target, "say fine");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "fine");
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(a_connection_that_ends_as_a_channel_opens_is_replaced, hostile) {
  BOOST_REQUIRE(run(target, "openings hang-up").succeeded());
  const auto answer = run(target, "say fine");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "fine");
  BOOST_TEST(!answer->reused_connection);
  BOOST_TEST(answer->attempts == 1U);
  require_answers(2);
}

BOOST_DATA_TEST_CASE_F(hostile, no_behaviour_disturbs_its_neighbours, data::make(paces), pace) {
  std::vector<told_outcome> told = told_outcomes;
  // While keys are exchanged no other channel may say anything (RFC 4253 §7.1).
  std::erase_if(told, [](const told_outcome& x) { return x.line.starts_with("rekey"); });
  std::vector<command> commands;
  for (const told_outcome& x : told)
    commands.push_back(once(pace + x.line));
  const auto answers = run(target, commands);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    BOOST_TEST_CONTEXT(commands[i].line) {
      require_result(answers[i], told[i]);
    }
  }
  require_that_the_connection_goes_on();
  require_answers(answers.size() + 1);
}

BOOST_FIXTURE_TEST_CASE(a_command_ends_whose_stdin_is_never_taken, hostile) {
  BOOST_REQUIRE(run(target, "openings confirm:0").succeeded());
  command fed = once("say fine");
  fed.stdin_data = std::string(100'000, 'x');
  const auto answer = run(target, fed);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "fine");
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_waits_for_stdin_it_does_not_take_times_out, hostile) {
  BOOST_REQUIRE(run(target, "openings confirm:0").succeeded());
  command fed = once("wait-for-stdin");
  fed.stdin_data = std::string(100'000, 'x');
  fed.timeout = 100ms;
  const auto answer = run(target, fed);
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::unknown));
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(a_command_whose_channel_takes_a_byte_at_a_time_is_fed_all_the_same,
                        hostile) {
  BOOST_REQUIRE(run(target, "openings confirm:1:1").succeeded());
  command fed = once("echo");
  fed.stdin_data = "all of it";
  const auto answer = run(target, fed);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == fed.stdin_data);
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(keys_are_exchanged_anew_while_stdin_is_on_its_way, hostile) {
  BOOST_REQUIRE(run(target, "openings confirm:1000").succeeded());
  command fed = once("echo 10000");
  fed.stdin_data = std::string(50'000, 'x');
  const auto answer = run(target, fed);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST((answer->output.stdout_data == fed.stdin_data));
  require_that_the_connection_goes_on();
  require_answers(3);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_reads_nothing_any_more_is_given_up_and_connected_anew,
                        impatient) {
  command fed = once("stop-reading");
  fed.stdin_data = std::string(10'000'000, 'x');
  fed.timeout = 100ms;
  const auto answer = run(target, fed);
  BOOST_TEST(answer.failed_with(error_code::command_timeout));
  BOOST_TEST(answer.what().output.stdout_data == "partial");
  BOOST_TEST((answer.what().termination == termination::unknown));
  const auto next = run(target, "say fine");
  BOOST_REQUIRE(next.succeeded());
  BOOST_TEST(next->output.stdout_data == "fine");
  BOOST_TEST(!next->reused_connection);
  require_answers(2);
}

BOOST_AUTO_TEST_SUITE_END()
