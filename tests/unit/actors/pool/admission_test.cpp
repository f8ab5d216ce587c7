#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

/// All its machines have one address.
using pool_of_two_connects = special_pool<[](settings& x) {
  x.max_connects_per_host = 2;
  x.connect_timeout = 10s;
  x.retry_delays = {};
}>;

} // namespace

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
