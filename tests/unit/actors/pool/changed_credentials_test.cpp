#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

struct fixture : simulated_pool {
  void change(const machine& target = some_machine()) {
    caf::anon_send(registry, changed_atom_v, target);
    settle();
  }

  void change_all() {
    caf::anon_send(registry, changed_atom_v);
    settle();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(changed_credentials, fixture)

BOOST_AUTO_TEST_CASE(an_unused_connection_is_closed_at_once) {
  network.on_start = succeed_at_once;
  request(some_command());
  BOOST_TEST(network.alive.size() == 1U);
  change();
  BOOST_TEST(network.alive.empty());
  BOOST_TEST(network.dialed == 1U);
  const auto next = request(some_command());
  BOOST_REQUIRE(next->result);
  BOOST_TEST(!next->result->reused_connection);
  BOOST_TEST(keys_loaded == 2U);
}

BOOST_AUTO_TEST_CASE(running_commands_finish_and_new_ones_get_a_new_connection) {
  network.on_start = start_only;
  const auto running = request(some_command());
  change();
  const auto waiting = request(some_command());
  pass(1s);
  BOOST_TEST(network.dialed == 1U);
  BOOST_TEST(connection().started.size() == 1U);
  BOOST_TEST(!waiting->arrived());
  connection().finish(1, 0);
  settle();
  BOOST_TEST(running->arrived());
  BOOST_TEST(network.dialed == 2U);
  BOOST_REQUIRE(network.alive.size() == 1U);
  BOOST_REQUIRE(connection().started.size() == 1U);
  connection().finish(2, 0);
  settle();
  BOOST_TEST(waiting->arrived());
}

BOOST_AUTO_TEST_CASE(a_running_command_holds_the_change_up_no_longer_than_its_timeout) {
  network.on_start = start_only;
  request(some_command());
  connection().answers_keepalives = true;
  change();
  request(some_command());
  pass(30s);
  BOOST_TEST(network.dialed == 1U);
  pass(2 * pool_settings.kill_grace);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(an_attempt_to_connect_begins_again_with_the_new_ones) {
  network.on_dial = [](simulated_connection&) {};
  const auto answer = request(some_command());
  change();
  BOOST_TEST(network.dialed == 2U);
  BOOST_TEST(network.alive.size() == 1U);
  BOOST_TEST(keys_loaded == 2U);
  connection().emit(ev::authenticated{});
  settle();
  BOOST_REQUIRE(connection().started.size() == 1U);
  connection().emit(ev::exec_sent{1});
  connection().finish(1, 0);
  settle();
  BOOST_REQUIRE(answer->result);
  // The attempt that was broken off did not fail.
  BOOST_TEST(answer->result->attempts == 1U);
}

BOOST_AUTO_TEST_CASE(other_machines_keep_their_connections) {
  network.on_start = succeed_at_once;
  request(some_command(), some_machine("a"));
  request(some_command(), some_machine("b"));
  change(some_machine("a"));
  BOOST_TEST(network.alive.size() == 1U);
  change(some_machine("unknown"));
  BOOST_TEST(network.alive.size() == 1U);
  change_all();
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(an_idle_machine_whose_credentials_changed_is_retired_all_the_same) {
  network.on_start = succeed_at_once;
  request(some_command());
  change();
  pass(5min);
  BOOST_TEST(request(some_command())->arrived());
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(the_user_name_of_the_credentials_counts_before_the_machines) {
  login_name = "deploy";
  network.on_dial = [](simulated_connection& link) {
    BOOST_TEST(link.settings.username == "deploy");
    link.lose(ssh::error_kind::authentication, "the server offers: publickey");
  };
  const auto answer = request(some_command());
  BOOST_TEST(answer->failed_with(error_code::authentication_error));
  BOOST_TEST(answer->what().message == "deploy@host:22: the server offers: publickey");
}

BOOST_AUTO_TEST_SUITE_END()
