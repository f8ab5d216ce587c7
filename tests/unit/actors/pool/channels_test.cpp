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

BOOST_AUTO_TEST_SUITE_END()
