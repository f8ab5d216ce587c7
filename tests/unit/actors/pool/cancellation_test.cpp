#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

BOOST_FIXTURE_TEST_SUITE(cancellation, simulated_pool)

BOOST_AUTO_TEST_CASE(a_waiting_command_that_is_cancelled_is_answered_at_once) {
  network.on_dial = [](simulated_connection&) {};
  const auto first = request(some_command());
  const auto second = request(some_command());
  cancel(*first);
  BOOST_REQUIRE(first->failed_with(error_code::cancelled));
  BOOST_TEST(first->what().message == "admin@host:22: the caller cancelled the command");
  BOOST_TEST((first->what().progress == progress::not_started));
  BOOST_TEST(!second->arrived());
  BOOST_TEST(journal.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_running_command_that_is_cancelled_is_killed) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  auto& link = connection();
  cancel(*answer);
  BOOST_REQUIRE(link.signals.size() == 1);
  BOOST_TEST(link.signals[0].second == "TERM");
  BOOST_TEST(!answer->arrived());
  // A second one changes nothing.
  cancel(*answer);
  pass(2s);
  BOOST_REQUIRE(link.signals.size() == 2);
  BOOST_TEST(link.signals[1].second == "KILL");
  ssh::exec_outcome outcome;
  outcome.exit_signal = "KILL";
  outcome.stdout_data = "so far";
  link.end(link.started[0].first, outcome);
  settle();
  BOOST_REQUIRE(answer->failed_with(error_code::cancelled));
  BOOST_TEST((answer->what().termination == termination::signalled));
  BOOST_TEST(answer->what().output.stdout_data == "so far");
  pass(1h);
  BOOST_TEST(answer->count == 1);
}

BOOST_AUTO_TEST_CASE(a_command_cancelled_while_its_channel_opens_never_runs) {
  const auto answer = request(some_command());
  auto& link = connection();
  cancel(*answer);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
  BOOST_TEST((answer->what().progress == progress::not_started));
  BOOST_TEST(link.abandoned.size() == 1U);
  // The channel still counts until the server has closed it.
  network.on_start = succeed_at_once;
  link.end(link.started[0].first, {});
  settle();
  BOOST_TEST(request(some_command())->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_command_that_waits_for_its_retry_can_be_cancelled) {
  network.on_start = [](simulated_connection& link, ssh::exec_id id) {
    link.emit(ev::exec_sent{id});
    link.lose(ssh::error_kind::dropped);
  };
  const auto answer = request(some_command());
  BOOST_TEST(!answer->arrived());
  cancel(*answer);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
  pass(1h);
  BOOST_TEST(answer->count == 1);
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_CASE(a_cancel_means_the_callers_own_commands_of_that_id_only) {
  network.on_start = start_only;
  command named = some_command();
  named.id = "mine";
  const auto mine = request(named);
  const auto of_another = request(named);
  cancel(*mine, "other");
  BOOST_TEST(connection().signals.empty());
  cancel(*mine, "mine", some_machine("elsewhere"));
  BOOST_TEST(connection().signals.empty());
  cancel(*mine, "mine");
  BOOST_TEST(connection().signals.size() == 1U);
  BOOST_TEST(!of_another->arrived());
}

BOOST_AUTO_TEST_CASE(an_id_means_the_commands_of_all_callers_on_all_machines) {
  network.on_start = start_only;
  command named = some_command();
  named.id = "batch";
  command other = some_command();
  other.id = "other";
  const auto first = request(named);
  const auto second = request(named, some_machine("elsewhere"));
  const auto third = request(other);
  BOOST_TEST(cancel_everywhere("nobody's").value() == 0U);
  caf::anon_send(registry, cancel_atom_v, std::string{"batch"});
  settle();
  BOOST_TEST(cancel_everywhere("batch").value() == 2U);
  // They are being ended.
  BOOST_TEST(cancel_everywhere("batch").value() == 0U);
  pass(1h);
  BOOST_TEST(first->failed_with(error_code::cancelled));
  BOOST_TEST(second->failed_with(error_code::cancelled));
  BOOST_TEST(second->what().message.starts_with("admin@elsewhere:22: it was cancelled by its id"));
  BOOST_TEST(second->what().request_id == "batch");
  BOOST_TEST(!third->failed_with(error_code::cancelled));
}

BOOST_AUTO_TEST_CASE(commands_that_wait_are_cancelled_by_their_id_at_once) {
  command named = some_command();
  named.id = "batch";
  network.on_dial = [](simulated_connection&) {};
  const auto waiting = request(named);
  machine behind = some_machine("guest");
  behind.via.push_back({"jump", 22, {}, {}});
  const auto behind_jump = request(named, behind);
  network.on_dial = refuse_connection;
  const auto waits_to_connect_again = request(named, some_machine("refusing"));
  BOOST_TEST(cancel_everywhere("batch").value() == 3U);
  for (const auto& x : {waiting, behind_jump, waits_to_connect_again}) {
    BOOST_TEST(x->failed_with(error_code::cancelled));
    BOOST_TEST((x->what().progress == progress::not_started));
  }
}

BOOST_AUTO_TEST_CASE(a_command_without_an_id_gets_one_of_its_own) {
  network.on_start = start_only;
  const auto first = request(some_command());
  const auto second = request(some_command());
  const auto& started = connection().started;
  connection().finish(started.at(0).first, 0);
  settle();
  BOOST_REQUIRE(first->result);
  const std::string id = first->result->request_id;
  BOOST_TEST(id.starts_with('#'));
  BOOST_TEST(journal.at(0).request_id == id);
  BOOST_TEST(cancel_everywhere("").value() == 0U);
  // The ids of a process are counted.
  const auto dash = id.find('-') + 1;
  const std::string next = id.substr(0, dash) + std::to_string(std::stoull(id.substr(dash)) + 1);
  BOOST_TEST(cancel_everywhere(next).value() == 1U);
  connection().finish(started.at(1).first, 0);
  settle();
  BOOST_TEST(second->failed_with(error_code::cancelled));
  BOOST_TEST(second->what().request_id == next);
}

BOOST_AUTO_TEST_CASE(the_empty_id_means_the_callers_own_unnamed_commands) {
  network.on_start = start_only;
  const auto mine = request(some_command());
  const auto of_another = request(some_command());
  cancel(*mine);
  BOOST_TEST(connection().signals.size() == 1U);
  BOOST_TEST(connection().signals[0].first == connection().started[0].first);
}

BOOST_AUTO_TEST_CASE(the_commands_of_a_caller_that_ends_are_cancelled) {
  network.on_start = start_only;
  const auto answer = request(some_command());
  command lasting = some_command();
  lasting.outlives_caller = true;
  const auto other = request(lasting);
  end_caller(*answer);
  end_caller(*other);
  BOOST_REQUIRE(connection().signals.size() == 1);
  BOOST_TEST(connection().signals[0].first == connection().started[0].first);
  connection().finish(connection().started[0].first, 0);
  connection().finish(connection().started[1].first, 0);
  settle();
  BOOST_REQUIRE(journal.size() == 2);
  BOOST_TEST((journal[0].outcome == error_code::cancelled));
  BOOST_TEST((journal[1].outcome == error_code::none));
}
BOOST_AUTO_TEST_SUITE_END()
