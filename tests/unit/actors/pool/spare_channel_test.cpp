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

/// The second of two commands gets its channel when the first has ended.
void serves_one_after_the_other(simulated_pool& pool) {
  const auto first = pool.request(simulated_pool::some_command());
  const auto second = pool.request(simulated_pool::some_command());
  pool.pass(1s);
  BOOST_TEST(pool.connection().started.size() == 1U);
  pool.connection().finish(pool.connection().started.at(0).first, 0);
  pool.settle();
  BOOST_TEST(pool.connection().started.size() == 2U);
  pool.connection().finish(pool.connection().started.at(1).first, 0);
  pool.settle();
  BOOST_TEST((first->result && second->result));
}

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
  serves_one_after_the_other(*this);
}

/// As some do instead of refusing it. A loss at that moment may be chance, the second one is not.
BOOST_AUTO_TEST_CASE(a_server_that_ends_at_a_second_channel_is_given_one_at_a_time) {
  network.on_start = start_only;
  const auto die_at_spare = [](simulated_connection& x) {
    x.opening_channel = true;
    x.lose(ssh::error_kind::dropped);
  };
  for (const auto until_tried_again : {1min, 2min}) {
    network.on_spare = die_at_spare;
    serves_one_after_the_other(*this);
    BOOST_TEST(connection().spares_opened == 0U);
    network.on_spare = nullptr;
    connection().lose(ssh::error_kind::dropped);
    pass(until_tried_again);
  }
  request(some_command());
  BOOST_TEST(connection().spares_opened == 0U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_while_no_channel_is_opened_limits_nobody) {
  network.on_start = succeed_at_once;
  for (int i = 0; i < 3; ++i) {
    request(some_command());
    BOOST_TEST(connection().spares_opened == 1U);
    connection().lose(ssh::error_kind::dropped);
    settle();
  }
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
