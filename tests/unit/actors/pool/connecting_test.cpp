#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(supervisor, simulated_pool)

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

BOOST_AUTO_TEST_CASE(a_password_without_an_answer_is_not_said_again) {
  network.on_dial = [](simulated_connection& x) { x.password_in_doubt = true; };
  const auto answer = request(some_command());
  pass(10s);
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::authentication_error));
  BOOST_TEST(answer->what().message
             == "admin@host:22: no login within 10s of a server that was given the password: it is "
                "not given it again");
  pass(1h);
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_password_is_not_said_for_the_next_command) {
  network.on_dial = [](simulated_connection& x) {
    x.password_in_doubt = true;
    x.lose(ssh::error_kind::authentication, "wrong password");
  };
  BOOST_TEST(request(some_command())->failed_with(error_code::authentication_error));
  const auto next = request(some_command());
  BOOST_TEST(next->failed_with(error_code::authentication_error));
  BOOST_TEST(next->what().message.find("the password is not said again for 30s")
             != std::string::npos);
  BOOST_TEST(network.dialed == 1U);
  caf::anon_send(registry, changed_atom_v, some_machine());
  settle();
  BOOST_TEST(request(some_command())->failed_with(error_code::authentication_error));
  BOOST_TEST(network.dialed == 2U);
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

BOOST_AUTO_TEST_CASE(ciphers_that_the_check_left_out_are_not_offered) {
  ciphers_left_out = {ssh::cipher_family::aes_gcm};
  request(some_command());
  BOOST_TEST((connection().settings.ciphers_left_out == ciphers_left_out));
}

BOOST_AUTO_TEST_CASE(no_cipher_to_offer_is_final_and_nothing_is_dialed) {
  cipher_error = make_failure(error_code::configuration_error, {});
  const auto answer = request(some_command());
  BOOST_REQUIRE(answer->error);
  BOOST_TEST(is(*answer->error, error_code::configuration_error));
  BOOST_TEST(answer->what().attempts == 1U);
  BOOST_TEST(network.dialed == 0U);
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

BOOST_AUTO_TEST_CASE(a_slow_address_does_not_keep_the_next_one_waiting) {
  addresses.resize(2);
  network.on_dial = [](simulated_connection&) {};
  request(some_command());
  pass(250ms - 1ns);
  BOOST_TEST(connection().addresses_tried == 1U);
  pass(1ns);
  BOOST_TEST(connection().addresses_tried == 2U);
}

BOOST_AUTO_TEST_CASE(a_machine_that_names_no_port_is_at_the_usual_one) {
  network.on_start = succeed_at_once;
  machine target = some_machine("web-1");
  target.port = 0;
  const auto unsaid = request(some_command(), target);
  target.port = 22;
  const auto said = request(some_command(), target);
  BOOST_TEST(unsaid->result.has_value());
  BOOST_TEST(said->result.has_value());
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
