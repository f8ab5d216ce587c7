#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
namespace ev = sshexec::ssh::event;

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

BOOST_AUTO_TEST_CASE(senseless_requests_are_refused_before_any_connection_is_tried) {
  const auto text_of = [this](command what, machine target) {
    const auto answer = request(std::move(what), std::move(target));
    BOOST_REQUIRE(answer->error);
    BOOST_TEST(is(*answer->error, error_code::invalid_argument));
    return answer->what().message;
  };
  BOOST_TEST(text_of(some_command(""), some_machine()) == "admin@host:22: Command cannot be empty");
  BOOST_TEST(text_of(some_command(" \t\n"), some_machine())
             == "admin@host:22: Command cannot be empty");
  BOOST_TEST(text_of(some_command(), some_machine("")) == "admin@:22: the machine has no hostname");
  BOOST_TEST(text_of(some_command(std::string{"a\0b", 3}), some_machine())
             == "admin@host:22: the command holds a NUL byte");
  command much = some_command();
  much.max_output = largest_data + 1;
  BOOST_TEST(text_of(much, some_machine())
             == "admin@host:22: at most 1 GiB can be kept of each stream of a command");
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
