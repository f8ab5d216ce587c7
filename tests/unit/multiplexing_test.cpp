#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

using pool_of_one_channel = special_pool<[](settings& x) { x.max_channels = 1; }>;
using pool_without_spare = special_pool<[](settings& x) { x.spare_channel = false; }>;
using pool_with_breaker = special_pool<[](settings& x) {
  x.breaker_threshold = 2;
  x.breaker_pause = 30s;
  x.retry_delays = {1s};
}>;
/// All its machines have one address.
using pool_of_two_connects = special_pool<[](settings& x) {
  x.max_connects_per_host = 2;
  x.connect_timeout = 10s;
  x.retry_delays = {};
}>;
using pool_of_an_hour = special_pool<[](settings& x) {
  x.max_connection_age = 1h;
  x.idle_timeout = 10h;
  x.keepalive_interval = 10h;
}>;

struct mortal_pool : simulated_pool {
  /// A second command on a connection that is lost behind what `on_start` does; the next one works.
  std::shared_ptr<pending_answer> request_behind_whose_start_it_dies(
    std::function<void(simulated_connection&, ssh::exec_id)> on_start) {
    network.on_start = succeed_at_once;
    request(some_command());
    network.on_start = std::move(on_start);
    auto answer = request(some_command());
    network.on_start = succeed_at_once;
    connection().lose(ssh::error_kind::dropped);
    settle();
    return answer;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(spare_channel, simulated_pool)

BOOST_AUTO_TEST_CASE(the_second_command_takes_a_channel_that_was_opened_ahead) {
  network.on_start = succeed_at_once;
  request(some_command());
  BOOST_TEST(connection().spares_opened == 1U);
  BOOST_TEST(!connection().started.at(0).second.takes_spare);
  request(some_command());
  BOOST_TEST(connection().started.at(1).second.takes_spare);
  BOOST_TEST(connection().spares_opened == 2U);
}

BOOST_AUTO_TEST_CASE(a_spare_that_closes_is_not_opened_again_before_the_next_command) {
  network.on_start = succeed_at_once;
  request(some_command());
  connection().end_spare();
  settle();
  BOOST_TEST(connection().spares_opened == 1U);
  request(some_command());
  BOOST_TEST(!connection().started.at(1).second.takes_spare);
  BOOST_TEST(connection().spares_opened == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_the_spare_costs_no_command_its_channel) {
  network.on_start = start_only;
  network.on_spare = [](simulated_connection& x) { x.end_spare(true); };
  const auto first = request(some_command());
  const auto second = request(some_command());
  BOOST_TEST(connection().started.size() == 1U);
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_TEST(connection().started.size() == 2U);
  connection().finish(connection().started.at(1).first, 0);
  settle();
  BOOST_TEST((first->result && second->result));
}

BOOST_AUTO_TEST_CASE(waiting_commands_leave_no_room_for_a_spare) {
  network.on_start = start_only;
  for (int i = 0; i < 12; ++i)
    request(some_command());
  BOOST_TEST(connection().started.size() == 10U);
  BOOST_TEST(!connection().has_spare);
}

/// What is sent there may have run, even if nobody hears of it any more.
BOOST_AUTO_TEST_CASE(a_connection_that_went_silent_is_not_trusted_with_a_command_on_its_spare) {
  network.on_start = succeed_at_once;
  request(some_command());
  pass(11s);
  BOOST_TEST(connection().keepalives == 1U);
  network.on_start = nullptr;
  request(some_command());
  BOOST_TEST(!connection().started.at(1).second.takes_spare);
}

/// The server may have run it before it died, so there were two attempts.
BOOST_FIXTURE_TEST_CASE(a_command_sent_on_the_spare_of_a_dead_connection_is_sent_again_at_once,
                        mortal_pool) {
  const auto answer = request_behind_whose_start_it_dies(start_only);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_dead_connection_costs_none_of_the_allowed_attempts, mortal_pool) {
  network.on_dial = [this](simulated_connection& x) {
    if (network.dialed > 1)
      x.lose(ssh::error_kind::refused);
    else
      x.emit(ev::authenticated{});
  };
  const auto answer = request_behind_whose_start_it_dies(start_only);
  for (const auto delay : {1s, 2s}) {
    pass(delay);
    BOOST_TEST(!answer->arrived());
  }
  pass(4s);
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST(answer->what().attempts == 5U);
}

BOOST_FIXTURE_TEST_CASE(a_spare_that_opens_late_is_no_sign_that_the_command_on_it_was_heard,
                        mortal_pool) {
  const auto hear_first = [](simulated_connection& x, ssh::exec_id id) {
    x.hear();
    start_only(x, id);
  };
  BOOST_TEST(request_behind_whose_start_it_dies(hear_first)->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_command_that_may_run_only_once_is_not_sent_again_for_that) {
  network.on_start = succeed_at_once;
  request(some_command());
  network.on_start = start_only;
  command what = some_command();
  what.retry = retry_policy::only_if_not_started;
  const auto answer = request(what);
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
}

BOOST_FIXTURE_TEST_CASE(one_channel_serves_one_command_after_another, pool_of_one_channel) {
  network.on_start = start_only;
  const auto first = request(some_command());
  const auto second = request(some_command());
  BOOST_TEST(connection().started.size() == 1U);
  BOOST_TEST(connection().spares_opened == 0U);
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_TEST(connection().started.size() == 2U);
  connection().finish(connection().started.at(1).first, 0);
  settle();
  BOOST_TEST((first->result && second->result));
  // Nobody waits: the only channel is opened ahead, and the next command takes it.
  BOOST_TEST(connection().has_spare);
  request(some_command());
  BOOST_TEST(connection().started.at(2).second.takes_spare);
}

BOOST_FIXTURE_TEST_CASE(no_spare_is_opened_where_none_is_wanted, pool_without_spare) {
  network.on_start = succeed_at_once;
  request(some_command());
  request(some_command());
  BOOST_TEST(connection().spares_opened == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(deadlines, simulated_pool)

BOOST_AUTO_TEST_CASE(a_deadline_counts_the_time_of_retries) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  command what = some_command();
  what.deadline = 2s;
  const auto answer = request(what);
  pass(2s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().progress == progress::not_started));
  BOOST_TEST(answer->what().message.find("while it waited") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_deadline_counts_the_time_of_connecting) {
  network.on_dial = [](simulated_connection&) {};
  command what = some_command();
  what.deadline = 2s;
  const auto answer = request(what);
  pass(2s);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST(answer->what().times.connect == 2s);
}

BOOST_AUTO_TEST_CASE(a_command_that_runs_at_its_deadline_is_killed) {
  network.on_start = start_only;
  command what = some_command();
  what.deadline = 2s;
  const auto answer = request(what);
  pass(2s);
  BOOST_REQUIRE(connection().signals.size() == 1);
  BOOST_TEST(connection().signals[0].second == "TERM");
  ssh::exec_outcome killed;
  killed.exit_signal = "TERM";
  connection().end(connection().started.at(0).first, killed);
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::killed));
}

BOOST_AUTO_TEST_CASE(a_deadline_of_nothing_is_senseless) {
  command what = some_command();
  what.deadline = 0s;
  BOOST_TEST(request(what)->failed_with(error_code::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(connections_over_time)

BOOST_FIXTURE_TEST_CASE(a_machine_that_failed_again_and_again_is_left_alone_for_a_while,
                        pool_with_breaker) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  for (int round = 0; round < 2; ++round) {
    const auto answer = request(some_command());
    pass(1s);
    BOOST_TEST(answer->failed_with(error_code::connection_error));
  }
  BOOST_TEST(network.dialed == 4U);
  const auto refused = request(some_command());
  BOOST_TEST(refused->failed_with(error_code::connection_error));
  BOOST_TEST((refused->what().fault == connection_fault::refused));
  BOOST_TEST(network.dialed == 4U);
}

BOOST_FIXTURE_TEST_CASE(one_attempt_decides_whether_the_machine_is_left_alone_again,
                        pool_with_breaker) {
  network.on_dial = [](simulated_connection& x) { x.lose(ssh::error_kind::refused); };
  for (int round = 0; round < 2; ++round) {
    request(some_command());
    pass(1s);
  }
  pass(30s);
  BOOST_TEST(request(some_command())->what().attempts == 1U);
  BOOST_TEST(network.dialed == 5U);
  BOOST_TEST(request(some_command())->arrived());
  BOOST_TEST(network.dialed == 5U);
  pass(30s);
  network.on_dial = nullptr;
  network.on_start = succeed_at_once;
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(network.dialed == 6U);
}

BOOST_FIXTURE_TEST_CASE(an_old_connection_is_replaced_when_no_command_runs, pool_of_an_hour) {
  network.on_start = succeed_at_once;
  request(some_command());
  pass(1h - 1ns);
  request(some_command());
  BOOST_TEST(network.dialed == 1U);
  pass(1ns);
  BOOST_TEST(request(some_command())->result.has_value());
  BOOST_TEST(network.dialed == 2U);
  BOOST_TEST(network.alive.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_old_connection_stays_while_a_command_runs_on_it, pool_of_an_hour) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 3h;
  const auto answer = request(what);
  pass(2h);
  request(some_command());
  BOOST_TEST(network.dialed == 1U);
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(tracked_commands, simulated_pool)

namespace {

command tracked_command() {
  command result = simulated_pool::some_command();
  result.tracked = true;
  result.timeout = 1s;
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_tracked_command_is_killed_over_a_second_channel) {
  network.on_start = start_only;
  const auto answer = request(tracked_command());
  const ssh::exec_id id = connection().started.at(0).first;
  const ssh::exec_request sent = connection().started.at(0).second;
  BOOST_TEST(sent.tracked.has_value());
  connection().emit(ev::tracked{id, 4711});
  settle();
  pass(1s);
  BOOST_REQUIRE(connection().started.size() == 2);
  const ssh::exec_id hunter = connection().started.at(1).first;
  const ssh::exec_request hunt = connection().started.at(1).second;
  BOOST_TEST(hunt.command.find("4711") != std::string::npos);
  ssh::exec_outcome killed;
  killed.exit_signal = "TERM";
  connection().end(id, killed);
  settle();
  BOOST_TEST(!answer->arrived());
  connection().finish(hunter, 0, "killed\n");
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::killed));
}

BOOST_AUTO_TEST_CASE(survivors_of_a_tracked_command_are_told) {
  network.on_start = start_only;
  const auto answer = request(tracked_command());
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  connection().finish(connection().started.at(1).first, 0, "survivors 12 13\n");
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::survivors));
  BOOST_TEST(answer->what().message.find("12") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hunt_that_reports_nothing_leaves_the_end_unknown) {
  network.on_start = start_only;
  const auto answer = request(tracked_command());
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  pass(1min);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::unknown));
}

BOOST_AUTO_TEST_CASE(a_full_connection_keeps_a_channel_to_kill_by) {
  network.on_start = start_only;
  request(tracked_command());
  for (int i = 0; i < 20; ++i)
    request(some_command());
  BOOST_TEST(connection().started.size() == 9U);
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  BOOST_REQUIRE(connection().started.size() == 10);
  BOOST_TEST(connection().started.at(9).second.command.find("4711") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hunt_whose_channel_is_refused_gets_the_next_one) {
  network.on_start = start_only;
  request(tracked_command());
  const auto neighbour = request(some_command());
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  const std::size_t before = connection().started.size();
  connection().emit(ev::channel_refused{connection().started.back().first, 2});
  connection().finish(connection().started.at(1).first, 0);
  settle();
  BOOST_TEST(neighbour->result.has_value());
  BOOST_REQUIRE(connection().started.size() == before + 1);
  BOOST_TEST(connection().started.back().second.command.find("4711") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(admission, pool_of_two_connects)

/// One request each, for so many machines that do not answer.
std::vector<std::shared_ptr<pending_answer>> ask_silent_machines(simulated_pool& pool, int count) {
  pool.network.on_dial = [](simulated_connection&) {};
  std::vector<std::shared_ptr<pending_answer>> answers;
  for (int i = 0; i < count; ++i) {
    const std::string name = "host-" + std::to_string(i);
    answers.push_back(
      pool.request(simulated_pool::some_command(), simulated_pool::some_machine(name)));
  }
  return answers;
}

BOOST_AUTO_TEST_CASE(few_connect_to_one_address_at_a_time) {
  network.on_start = succeed_at_once;
  const auto answers = ask_silent_machines(*this, 4);
  BOOST_TEST(network.dialed == 2U);
  connection().emit(ev::authenticated{});
  settle();
  BOOST_TEST(answers.at(0)->result.has_value());
  BOOST_TEST(network.dialed == 3U);
}

BOOST_AUTO_TEST_CASE(a_failed_attempt_makes_room_for_the_next) {
  const auto answers = ask_silent_machines(*this, 3);
  connection().lose(ssh::error_kind::refused);
  settle();
  BOOST_TEST(answers.at(0)->failed_with(error_code::connection_error));
  BOOST_TEST(network.dialed == 3U);
}

BOOST_AUTO_TEST_CASE(the_wait_for_a_turn_does_not_count_as_connect_timeout) {
  const auto answers = ask_silent_machines(*this, 3);
  pass(10s);
  BOOST_TEST(answers.at(0)->failed_with(error_code::connection_error));
  BOOST_TEST(answers.at(1)->failed_with(error_code::connection_error));
  pass(9s);
  BOOST_TEST(!answers.at(2)->arrived());
  connection().emit(ev::authenticated{});
  settle();
  BOOST_TEST(connection().started.size() == 1U);
}

BOOST_AUTO_TEST_CASE(whoever_is_not_waited_for_any_more_does_not_take_his_turn) {
  const auto answers = ask_silent_machines(*this, 3);
  cancel(*answers.at(2), {}, some_machine("host-2"));
  BOOST_TEST(answers.at(2)->failed_with(error_code::cancelled));
  connection().emit(ev::authenticated{});
  settle();
  BOOST_TEST(network.dialed == 2U);
  // It gave its place back.
  request(some_command(), some_machine("host-3"));
  BOOST_TEST(network.dialed == 3U);
}

BOOST_AUTO_TEST_CASE(a_command_that_comes_while_its_machine_waits_for_a_turn_is_served) {
  network.on_start = succeed_at_once;
  ask_silent_machines(*this, 3);
  const auto second = request(some_command(), some_machine("host-2"));
  network.on_dial = [](simulated_connection& link) { link.emit(ev::authenticated{}); };
  connection().lose(ssh::error_kind::refused);
  settle();
  BOOST_TEST(second->result.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
