#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

/// A first command runs, a second one waits for its channel, and the next spare one was refused.
struct pool_with_one_opening : simulated_pool {
  pool_with_one_opening() {
    network.on_start = start_only;
    first = request(some_command());
    network.on_start = nullptr;
    second = request(some_command());
    connection().end_spare(true);
  }

  std::shared_ptr<pending_answer> first;
  std::shared_ptr<pending_answer> second;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(supervisor, simulated_pool)

BOOST_AUTO_TEST_CASE(a_command_returns_its_exit_code_and_output) {
  network.on_start = succeed_at_once;
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->exit_code == 0);
  BOOST_TEST(answer->result->output.stdout_data == "out");
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(!answer->result->reused_connection);
  BOOST_REQUIRE(journal.size() == 1);
  BOOST_TEST(journal[0].command_line == "true");
  BOOST_TEST(journal[0].machine.username == "admin");
}

BOOST_AUTO_TEST_CASE(the_second_command_reuses_the_connection) {
  network.on_start = succeed_at_once;
  request(some_command());
  const auto second = request(some_command());
  BOOST_REQUIRE(second->result);
  BOOST_TEST(second->result->reused_connection);
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_connection_is_retried_after_exactly_1_2_and_4_seconds) {
  network.on_dial = refuse_connection;
  const auto answer = request(some_command());
  std::size_t expected_dials = 1;
  for (const auto delay : {1s, 2s, 4s}) {
    BOOST_TEST(network.dialed == expected_dials);
    pass(delay - 1ns);
    BOOST_TEST(network.dialed == expected_dials);
    BOOST_TEST(!answer->arrived());
    pass(1ns);
    BOOST_TEST(network.dialed == ++expected_dials);
  }
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::connection_error));
  const failure what = answer->what();
  BOOST_TEST(what.attempts == 4U);
  BOOST_TEST((what.fault == connection_fault::refused));
  BOOST_TEST((what.progress == progress::not_started));
  BOOST_TEST(what.message
             == "admin@host:22: refused: 192.0.2.1:22: Connection refused (after 4 attempts)");
  pass(1h);
  BOOST_TEST(network.dialed == 4U);
  BOOST_TEST(answer->count == 1);
}

BOOST_AUTO_TEST_CASE(a_silent_address_times_out_and_is_retried) {
  network.on_dial = [](simulated_connection&) {};
  const auto answer = request(some_command());
  for (const auto delay : {1s, 2s, 4s}) {
    pass(10s);
    BOOST_TEST(network.alive.empty());
    pass(delay);
  }
  BOOST_TEST(network.dialed == 4U);
  BOOST_TEST(!answer->arrived());
  pass(10s);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST((answer->what().fault == connection_fault::timed_out));
  BOOST_TEST(answer->what().attempts == 4U);
}

BOOST_AUTO_TEST_CASE(commands_that_wait_share_one_attempt_to_connect) {
  network.on_dial = refuse_connection;
  std::vector<std::shared_ptr<pending_answer>> answers;
  for (int i = 0; i < 20; ++i)
    answers.push_back(request(some_command()));
  for (int second = 0; second < 30; ++second)
    pass(1s);
  BOOST_TEST(network.dialed <= 5U);
  for (const auto& answer : answers) {
    BOOST_TEST(answer->count == 1);
    BOOST_TEST(answer->what().attempts <= 4U);
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_exist_is_final_at_once) {
  failure what;
  what.message = "no such host: host";
  what.fault = connection_fault::name_not_found;
  resolver_error = make_failure(error_code::connection_error, what);
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::connection_error));
  BOOST_TEST((answer->what().fault == connection_fault::name_not_found));
  BOOST_TEST(answer->what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(refused_keys_are_final_at_once) {
  network.on_dial = [](simulated_connection& connection) {
    connection.lose(ssh::error_kind::authentication, "the server offers: publickey");
  };
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::authentication_error));
  pass(1h);
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_CASE(no_retries_means_one_attempt) {
  network.on_dial = refuse_connection;
  command once = some_command();
  once.retry = retry_policy::never;
  const auto answer = request(once);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(answer->what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(a_connection_lost_during_a_command_is_followed_by_its_retry) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_TEST(network.dialed == 1U);
  network.on_start = succeed_at_once;
  pass(1s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 2U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_command_that_may_have_run_is_not_repeated_when_told_so) {
  network.on_start = start_only;
  command careful = some_command();
  careful.retry = retry_policy::only_if_not_started;
  const auto answer = request(careful);
  connection().partial.stdout_data = "half";
  connection().partial.stdout_bytes = 4;
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  BOOST_TEST(answer->what().output.stdout_data == "half");
}

BOOST_AUTO_TEST_CASE(a_pooled_connection_found_dead_is_replaced_at_once_and_costs_no_attempt) {
  network.on_start = succeed_at_once;
  request(some_command());
  network.on_start = nullptr;
  const auto answer = request(some_command());
  BOOST_REQUIRE(connection().started.size() == 2);
  network.on_start = succeed_at_once;
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_that_drops_every_new_connection_is_not_hammered) {
  network.on_start = [](simulated_connection& connection, ssh::exec_id) {
    connection.lose(ssh::error_kind::dropped);
  };
  const auto answer = request(some_command());
  BOOST_TEST(network.dialed == 1U);
  pass(1s);
  BOOST_TEST(network.dialed == 2U);
  pass(2s);
  pass(4s);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(network.dialed == 4U);
  BOOST_TEST(answer->what().attempts == 4U);
}

BOOST_AUTO_TEST_CASE(a_command_beyond_its_timeout_gets_term_then_kill_then_its_channel_closed) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  auto& link = connection();
  link.answers_keepalives = true;
  pass(30s - 1ns);
  BOOST_TEST(link.signals.empty());
  pass(1ns);
  BOOST_REQUIRE(link.signals.size() == 1);
  BOOST_TEST(link.signals[0].second == "TERM");
  pass(2s);
  BOOST_REQUIRE(link.signals.size() == 2);
  BOOST_TEST(link.signals[1].second == "KILL");
  BOOST_TEST(!answer->arrived());
  link.partial.stderr_data = "partial";
  pass(2s);
  BOOST_TEST(link.abandoned.size() == 1U);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::unknown));
  BOOST_TEST(answer->what().output.stderr_data == "partial");
}

BOOST_AUTO_TEST_CASE(a_timeout_whose_end_the_server_confirms_says_killed) {
  network.on_start = start_only;
  command brief = some_command();
  brief.timeout = 1s;
  const auto answer = request(brief);
  pass(1s);
  ssh::exec_outcome outcome;
  outcome.exit_signal = "TERM";
  outcome.stdout_data = "so far";
  connection().end(connection().started[0].first, outcome);
  settle();
  BOOST_REQUIRE(answer->error);
  BOOST_TEST((answer->what().termination == termination::killed));
  BOOST_TEST(answer->what().output.stdout_data == "so far");
}

BOOST_FIXTURE_TEST_CASE(a_refused_channel_is_tried_again_on_the_same_connection,
                        pool_with_one_opening) {
  auto& link = connection();
  link.emit(ev::channel_refused{link.started[1].first, 2});
  settle();
  BOOST_TEST(!second->arrived());
  BOOST_TEST(link.started.size() == 2U);
  network.on_start = succeed_at_once;
  link.finish(link.started[0].first, 0);
  settle();
  BOOST_TEST(first->result.has_value());
  BOOST_REQUIRE(second->result);
  BOOST_TEST(second->result->attempts == 1U);
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_CASE(a_server_that_opens_no_channel_at_all_gives_an_error_after_the_retries) {
  network.on_start = [](simulated_connection& connection, ssh::exec_id id) {
    connection.emit(ev::channel_refused{id, 1});
  };
  const auto answer = request(some_command());
  pass(1s + 2s + 4s + 4 * 300ms);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::connection_error));
  BOOST_TEST(answer->what().attempts == 4U);
  BOOST_TEST((answer->what().progress == progress::not_started));
}

BOOST_AUTO_TEST_CASE(a_channel_refused_while_none_is_open_is_tried_again_after_a_moment) {
  network.on_start = [](simulated_connection& connection, ssh::exec_id id) {
    connection.emit(ev::channel_refused{id, 2});
  };
  const auto answer = request(some_command());
  const auto other = request(some_command());
  network.on_start = succeed_at_once;
  pass(100ms - 1ns);
  BOOST_TEST(connection().started.size() == 1U);
  pass(1ns);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(other->result.has_value());
  BOOST_TEST(network.dialed == 1U);
}

/// A server that takes one channel at a time must not cost each second command a pause.
BOOST_FIXTURE_TEST_CASE(a_channel_refused_beside_one_that_closed_since_is_tried_again_at_once,
                        pool_with_one_opening) {
  auto& link = connection();
  link.finish(link.started[0].first, 0);
  settle();
  BOOST_TEST(first->result.has_value());
  network.on_start = succeed_at_once;
  link.emit(ev::channel_refused{link.started[1].first, 2});
  settle();
  BOOST_TEST(second->result.has_value());
}

BOOST_AUTO_TEST_CASE(an_exec_request_that_the_server_refuses_is_rejected) {
  network.on_start = [](simulated_connection& connection, ssh::exec_id id) {
    connection.emit(ev::exec_sent{id});
    connection.emit(ev::exec_refused{id, "the server refused to run the command"});
  };
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::rejected));
  connection().end(connection().started[0].first, {});
  settle();
  BOOST_TEST(answer->count == 1);
}

BOOST_AUTO_TEST_CASE(no_more_channels_are_opened_than_allowed) {
  network.on_start = start_only;
  std::vector<std::shared_ptr<pending_answer>> answers;
  for (int i = 0; i < 25; ++i)
    answers.push_back(request(some_command()));
  auto& link = connection();
  BOOST_TEST(link.started.size() == 10U);
  for (std::size_t i = 0; i < 25; ++i) {
    link.finish(link.started.at(i).first, 0);
    settle();
    BOOST_TEST(link.started.size() == std::min<std::size_t>(25, 11 + i));
  }
  for (const auto& answer : answers)
    BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_channel_that_closes_without_an_exit_status_is_no_success) {
  network.on_start = [](simulated_connection& connection, ssh::exec_id id) {
    connection.emit(ev::exec_sent{id});
    connection.end(id, {});
  };
  command careful = some_command();
  careful.retry = retry_policy::only_if_not_started;
  const auto answer = request(careful);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::connection_error));
  BOOST_TEST((answer->what().fault == connection_fault::dropped));
}

BOOST_AUTO_TEST_CASE(after_5_idle_minutes_the_connection_is_closed_and_the_supervisor_gone) {
  network.on_start = succeed_at_once;
  const auto before = system.registry().running();
  request(some_command());
  connection().answers_keepalives = true;
  BOOST_TEST(system.registry().running() == before + 1);
  pass(5min - 1ns);
  BOOST_TEST(network.alive.size() == 1U);
  pass(1ns);
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(system.registry().running() == before);
  const auto next = request(some_command());
  BOOST_REQUIRE(next->result);
  BOOST_TEST(next->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_command_that_arrives_during_the_expiry_is_not_lost) {
  network.on_start = succeed_at_once;
  request(some_command());
  connection().answers_keepalives = true;
  pass(290s);
  // The tick is in the supervisor's mailbox, and the command is sent before it is handled.
  scheduler.advance_time(10s);
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(network.alive.size() == 1U);
  const auto next = request(some_command());
  BOOST_TEST(next->result.has_value());
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_given_up_30_silent_seconds_after_its_last_sign_of_life) {
  network.on_start = succeed_at_once;
  request(some_command());
  auto& link = connection();
  pass(5s);
  link.hear();
  settle();
  pass(30s - 1ns);
  BOOST_TEST(network.alive.size() == 1U);
  BOOST_TEST(link.keepalives == 2U);
  pass(1ns);
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(a_running_command_is_told_after_30_seconds_that_its_server_is_silent) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 1h;
  what.retry = retry_policy::never;
  const auto answer = request(what);
  pass(30s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_REQUIRE(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().fault == connection_fault::timed_out));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
}

BOOST_AUTO_TEST_CASE(a_dead_connection_of_the_pool_costs_a_caller_no_more_than_its_bound) {
  network.on_start = succeed_at_once;
  request(some_command());
  pass(25s);
  network.on_start = nullptr;
  command what = some_command();
  const auto answer = request(what);
  network.on_start = succeed_at_once;
  pass(5s);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_peer_that_answers_is_not_given_up) {
  network.on_start = succeed_at_once;
  request(some_command());
  connection().answers_keepalives = true;
  pass(4min);
  BOOST_TEST(network.alive.size() == 1U);
  BOOST_TEST(connection().keepalives == 24U);
}

BOOST_AUTO_TEST_CASE(a_connection_with_traffic_is_not_asked_for_a_sign_of_life) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 1h;
  request(what);
  for (int i = 0; i < 20; ++i) {
    pass(9s);
    connection().hear();
    settle();
  }
  BOOST_TEST(connection().keepalives == 0U);
}

BOOST_AUTO_TEST_CASE(a_channel_request_without_an_answer_costs_a_bounded_time) {
  network.on_start = succeed_at_once;
  request(some_command());
  network.on_start = nullptr;
  const auto answer = request(some_command());
  network.on_start = succeed_at_once;
  pass(10s);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_slow_address_does_not_keep_the_next_one_waiting) {
  addresses.resize(2);
  network.on_dial = [](simulated_connection&) {};
  request(some_command());
  pass(250ms - 1ns);
  BOOST_TEST(connection().addresses_tried == 1U);
  pass(1ns);
  BOOST_TEST(connection().addresses_tried == 2U);
}

BOOST_AUTO_TEST_CASE(senseless_requests_are_refused_before_any_connection_is_tried) {
  const auto text_of = [this](command what, machine target) {
    const auto answer = request(std::move(what), std::move(target));
    BOOST_REQUIRE(answer->error);
    BOOST_TEST(is(*answer->error, error_code::invalid_argument));
    return answer->what().message;
  };
  BOOST_TEST(text_of(some_command(""), some_machine()) == "Command cannot be empty");
  BOOST_TEST(text_of(some_command(" \t\n"), some_machine()) == "Command cannot be empty");
  BOOST_TEST(text_of(some_command(), some_machine("")) == "The machine has no hostname");
  BOOST_TEST(text_of(some_command(std::string{"a\0b", 3}), some_machine())
             == "The command holds a NUL byte");
  command much = some_command();
  much.max_output = largest_data + 1;
  BOOST_TEST(text_of(much, some_machine())
             == "At most 1 GiB can be kept of each stream of a command");
  BOOST_TEST(network.dialed == 0U);
  BOOST_TEST(journal.size() == 5U);
}

BOOST_AUTO_TEST_CASE(as_much_output_can_be_kept_as_a_message_may_hold) {
  network.on_start = succeed_at_once;
  command much = some_command();
  much.max_output = largest_data;
  const auto answer = request(much);
  settle();
  BOOST_TEST(answer->result.has_value());
}
BOOST_AUTO_TEST_SUITE_END()
