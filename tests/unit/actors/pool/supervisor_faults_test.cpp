#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

/// What once left somebody waiting for ever, or ended what was healthy.
namespace {

using pool_of_one_channel = special_pool<[](settings& x) { x.max_channels = 1; }>;
using pool_of_a_short_life = special_pool<[](settings& x) {
  x.retry_delays = {10s};
  x.idle_timeout = 1s;
}>;

ssh::exec_outcome success() {
  ssh::exec_outcome result;
  result.exit_status = 0;
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(nobody_waits_for_ever)

BOOST_FIXTURE_TEST_CASE(a_channel_that_does_not_close_behind_its_command_holds_nobody_up,
                        pool_of_one_channel) {
  network.on_start = start_only;
  const auto first = request(some_command());
  connection().end_without_close(connection().started.at(0).first, success());
  settle();
  BOOST_TEST(first->result.has_value());
  network.on_start = succeed_at_once;
  const auto second = request(some_command());
  pass(10s - 1ns);
  BOOST_TEST(!second->arrived());
  pass(1ns);
  BOOST_REQUIRE(second->result);
  BOOST_TEST(second->result->attempts == 1U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_waits_when_its_neighbour_ends_unclosed_is_served,
                        pool_of_one_channel) {
  network.on_start = start_only;
  const auto first = request(some_command());
  const auto second = request(some_command());
  network.on_start = succeed_at_once;
  connection().end_without_close(connection().started.at(0).first, success());
  settle();
  pass(10s);
  BOOST_TEST(second->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_command_whose_channel_never_opens_is_not_tried_without_end,
                        simulated_pool) {
  network.on_start = [](simulated_connection& link, ssh::exec_id id) {
    if (link.started.back().second.command == "stuck")
      link.bytes += 1;
    else
      succeed_at_once(link, id);
  };
  network.on_dial = [](simulated_connection& link) {
    link.answers_keepalives = true;
    link.emit(ev::authenticated{});
  };
  const auto stuck = request(some_command("stuck"));
  for (int i = 0; i < 60 && !stuck->arrived(); ++i) {
    BOOST_TEST(request(some_command())->result.has_value());
    pass(1s);
  }
  BOOST_REQUIRE(stuck->failed_with(error_code::connection_error));
  BOOST_TEST(stuck->what().attempts == 4U);
  BOOST_TEST((stuck->what().progress == progress::not_started));
}

BOOST_FIXTURE_TEST_CASE(credentials_that_change_faster_than_a_connect_restart_it_once,
                        simulated_pool) {
  network.on_dial = [](simulated_connection&) {};
  network.on_start = succeed_at_once;
  const auto answer = request(some_command());
  for (int i = 0; i < 30 && !answer->arrived(); ++i) {
    pass(1s);
    caf::anon_send(registry, changed_atom_v, some_machine());
    settle();
    // Each connection takes three seconds.
    if (i % 3 == 2 && !network.alive.empty()) {
      connection().emit(ev::authenticated{});
      settle();
    }
  }
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_connection_made_while_credentials_changed_is_replaced_once_it_served,
                        simulated_pool) {
  network.on_dial = [](simulated_connection&) {};
  network.on_start = succeed_at_once;
  const auto answer = request(some_command());
  for (int i = 0; i < 2; ++i) {
    caf::anon_send(registry, changed_atom_v, some_machine());
    settle();
  }
  BOOST_TEST(network.dialed == 2U);
  connection().emit(ev::authenticated{});
  settle();
  BOOST_TEST(answer->result.has_value());
  BOOST_TEST(network.alive.empty());
}

BOOST_FIXTURE_TEST_CASE(new_credentials_get_their_attempt_if_the_outdated_ones_are_refused,
                        simulated_pool) {
  network.on_dial = [](simulated_connection&) {};
  network.on_start = succeed_at_once;
  const auto answer = request(some_command());
  for (int i = 0; i < 2; ++i) {
    caf::anon_send(registry, changed_atom_v, some_machine());
    settle();
  }
  network.on_dial = nullptr;
  connection().lose(ssh::error_kind::authentication);
  settle();
  BOOST_TEST(!answer->arrived());
  pass(1s);
  BOOST_TEST(answer->result.has_value());
}

/// Its tick is in the mailbox already, behind the command.
BOOST_FIXTURE_TEST_CASE(a_command_that_arrives_just_ahead_of_the_expiry_is_not_lost,
                        simulated_pool) {
  network.on_start = succeed_at_once;
  request(some_command());
  connection().answers_keepalives = true;
  pass(299s);
  network.on_start = start_only;
  auto answer = std::make_shared<pending_answer>();
  answer->caller = system.spawn([this, answer](caf::event_based_actor* self) {
    self->request(registry, caf::infinite, execute_atom_v, some_machine(), some_command())
      .then([answer](command_result& x) { answer->result = std::move(x); },
            [answer](caf::error& x) { answer->error = std::move(x); });
  });
  // The caller asks, and the registry hands it on.
  scheduler.run_once();
  scheduler.run_once();
  scheduler.advance_time(1s);
  settle();
  BOOST_REQUIRE(network.alive.size() == 1);
  BOOST_REQUIRE(!connection().started.empty());
  connection().finish(connection().started.back().first, 0);
  settle();
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_connection_made_with_outdated_credentials_goes_also_when_it_is_busy,
                        simulated_pool) {
  network.on_dial = [](simulated_connection&) {};
  network.on_start = start_only;
  const auto first = request(some_command());
  for (int i = 0; i < 2; ++i) {
    caf::anon_send(registry, changed_atom_v, some_machine());
    settle();
  }
  connection().emit(ev::authenticated{});
  settle();
  network.on_dial = nullptr;
  const auto second = request(some_command());
  BOOST_TEST(connection().started.size() == 1U);
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_TEST(first->result.has_value());
  BOOST_TEST(network.dialed == 3U);
  BOOST_TEST(!second->arrived());
}

BOOST_FIXTURE_TEST_CASE(a_hunt_that_the_server_refuses_to_run_is_not_waited_for, simulated_pool) {
  network.on_start = start_only;
  command what = some_command();
  what.tracked = true;
  what.timeout = 1s;
  const auto answer = request(what);
  const ssh::exec_id id = connection().started.at(0).first;
  connection().emit(ev::tracked{id, 4711});
  settle();
  pass(1s);
  const ssh::exec_id hunter = connection().started.at(1).first;
  connection().emit(ev::exec_refused{hunter, "the server refused to run the command"});
  connection().close(hunter);
  ssh::exec_outcome killed;
  killed.exit_signal = "TERM";
  connection().end(id, killed);
  settle();
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST((answer->what().termination == termination::signalled));
}

BOOST_FIXTURE_TEST_CASE(the_channel_of_a_hunt_that_outlives_its_victim_is_given_up,
                        simulated_pool) {
  network.on_start = start_only;
  command what = some_command();
  what.tracked = true;
  what.timeout = 1s;
  const auto answer = request(what);
  connection().answers_keepalives = true;
  connection().emit(ev::tracked{connection().started.at(0).first, 4711});
  settle();
  pass(1s);
  pass(1min);
  BOOST_TEST(answer->failed_with(error_code::command_timeout));
  BOOST_TEST(connection().abandoned.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(what_is_healthy_is_left_alone)

BOOST_FIXTURE_TEST_CASE(a_connection_that_is_not_read_for_its_consumers_is_not_given_up,
                        simulated_pool) {
  network.on_start = start_only;
  command what = some_command();
  what.timeout = 1h;
  const auto answer = request(what);
  connection().reading = false;
  pass(10min);
  BOOST_TEST(network.alive.size() == 1U);
  BOOST_TEST(connection().keepalives == 0U);
  connection().reading = true;
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(an_overrun_costs_its_own_command_alone, simulated_pool) {
  network.on_start = start_only;
  const auto hog = request(some_command());
  const auto neighbour = request(some_command());
  const ssh::exec_id id = connection().started.at(0).first;
  connection().emit(ev::output_overrun{id});
  settle();
  BOOST_REQUIRE(connection().signals.size() == 1);
  BOOST_TEST(connection().signals[0].second == "TERM");
  ssh::exec_outcome killed;
  killed.exit_signal = "TERM";
  killed.stdout_data = "some of it";
  connection().end(id, killed);
  settle();
  BOOST_TEST(hog->failed_with(error_code::overloaded));
  BOOST_TEST((hog->what().termination == termination::signalled));
  BOOST_TEST(hog->what().output.stdout_data == "some of it");
  connection().finish(connection().started.at(1).first, 0);
  settle();
  BOOST_TEST(neighbour->result.has_value());
  BOOST_TEST(network.dialed == 1U);
}

/// The only command is cancelled while the reconnect waits for its delay; a new one comes during
/// the expiry, connects and runs; the delay then ends.
BOOST_FIXTURE_TEST_CASE(the_end_of_an_earlier_delay_does_not_touch_a_later_connection,
                        pool_of_a_short_life) {
  network.on_dial = refuse_connection;
  const auto first = request(some_command());
  cancel(*first);
  BOOST_TEST(first->failed_with(error_code::cancelled));
  network.on_dial = nullptr;
  network.on_start = start_only;
  // The tick is in the supervisor's mailbox, and the command is sent before it is handled.
  scheduler.advance_time(1s);
  const auto second = request(some_command());
  BOOST_REQUIRE(network.alive.size() == 1);
  connection().answers_keepalives = true;
  pass(20s);
  BOOST_TEST(network.dialed == 2U);
  connection().finish(connection().started.at(0).first, 0);
  settle();
  BOOST_REQUIRE(second->result);
  BOOST_TEST(second->result->attempts == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(everybody_gets_a_turn)

BOOST_FIXTURE_TEST_CASE(a_flood_whose_consumer_ended_can_be_cancelled, simulated_pool) {
  network.on_start = start_only;
  const auto consumer
    = system.spawn([](output_consumer::pointer self) -> output_consumer::behavior_type {
        self->quit();
        return {[](const output_chunk&) {}};
      });
  command what = some_command();
  what.output_to = consumer;
  const auto answer = request(what);
  connection().flood = 1'000;
  connection().flooding = connection().started.at(0).first;
  caf::anon_send(answer->caller, cancel_atom_v, some_machine(), std::string{});
  connection().hear();
  settle();
  BOOST_REQUIRE(connection().signals.size() == 1);
  BOOST_TEST(connection().flood_at_first_signal > 0U);
}

BOOST_FIXTURE_TEST_CASE(all_attempts_of_a_command_share_its_input, simulated_pool) {
  network.on_start = start_only;
  command what = some_command();
  what.stdin_data = "input";
  const auto answer = request(what);
  const auto first = connection().started.at(0).second.stdin_data;
  BOOST_TEST(*first == "input");
  connection().lose(ssh::error_kind::dropped);
  settle();
  pass(1s);
  BOOST_TEST((connection().started.at(0).second.stdin_data == first));
}

BOOST_AUTO_TEST_SUITE_END()
