#include "sshexec/actors/pool/channel_pool.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

using step = channel_pool::step;

const time_point start{};

/// A connection on which channels are asked for.
struct connection_of_three {
  /// Takes so many channels for commands numbered on from `next_id`.
  void start_commands(int count) {
    for (int i = 0; i < count; ++i) {
      BOOST_REQUIRE((channels.next(now, wanted) == step::start_command));
      channels.take(/*is_in_doubt=*/false);
      ++next_id;
    }
    wanted.running = true;
  }

  channel_pool channels{{.most = 3, .opens_spare = true, .patience = 10s}};
  channel_pool::demand wanted{.command = true, .spare = true};
  ssh::exec_id next_id = 1;
  time_point now = start;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(channels_of_a_connection, connection_of_three)

BOOST_AUTO_TEST_CASE(commands_get_channels_up_to_the_limit) {
  start_commands(3);
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  BOOST_TEST(!channels.deadline().has_value());
  channels.leave(1, now);
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  channels.closed(1);
  BOOST_TEST((channels.next(now, wanted) == step::start_command));
}

BOOST_AUTO_TEST_CASE(hunts_go_before_commands) {
  wanted.hunt = true;
  BOOST_TEST((channels.next(now, wanted) == step::start_hunt));
}

BOOST_AUTO_TEST_CASE(a_tracked_command_keeps_a_channel_free_for_its_hunt) {
  wanted.tracked = true;
  start_commands(2);
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  wanted.hunt = true;
  BOOST_TEST((channels.next(now, wanted) == step::start_hunt));
}

BOOST_AUTO_TEST_CASE(a_spare_is_opened_once_for_each_command_that_was_sent) {
  wanted.command = false;
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  channels.take(false);
  channels.exec_sent();
  BOOST_TEST((channels.next(now, wanted) == step::open_spare));
  channels.spare_requested();
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  channels.spare_ended(/*was_refused=*/true);
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  channels.exec_sent();
  channels.closed(1);
  BOOST_TEST((channels.next(now, wanted) == step::open_spare));
}

BOOST_AUTO_TEST_CASE(the_spare_is_taken_first_unless_its_connection_is_in_doubt) {
  channels.take(false);
  channels.exec_sent();
  channels.spare_requested();
  BOOST_TEST(!channels.take(/*is_in_doubt=*/true));
  BOOST_TEST(channels.take(/*is_in_doubt=*/false));
  BOOST_TEST(channels.slots().open() == 3U);
}

BOOST_AUTO_TEST_CASE(in_doubt_the_spare_is_taken_if_it_is_the_last_channel) {
  channels.spare_requested();
  start_commands(2);
  BOOST_TEST(channels.slots().open() == 2U);
  channels.spare_requested();
  BOOST_TEST(channels.take(/*is_in_doubt=*/true));
}

BOOST_AUTO_TEST_CASE(a_lone_refusal_makes_a_pause_and_four_in_a_row_are_hopeless) {
  for (int i = 1; i <= 4; ++i) {
    BOOST_REQUIRE((channels.next(now, wanted) == step::start_command));
    channels.take(false);
    BOOST_TEST(channels.refused(1, now) == (i < 4));
    BOOST_TEST((channels.next(now, wanted) == step::wait));
    BOOST_REQUIRE(channels.deadline().has_value());
    BOOST_TEST((*channels.deadline() == now + 100ms));
    now += 100ms;
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_beside_an_open_channel_waits_for_that_one) {
  start_commands(2);
  BOOST_TEST(channels.refused(2, now));
  BOOST_TEST((channels.next(now, wanted) == step::wait));
  BOOST_TEST(!channels.deadline().has_value());
  channels.closed(1);
  BOOST_TEST((channels.next(now, wanted) == step::start_command));
}

/// Somebody waits, therefore a channel is open or a deadline is set.
BOOST_AUTO_TEST_CASE(channels_that_do_not_close_end_the_connection_if_nothing_else_is_lost) {
  start_commands(3);
  for (ssh::exec_id id = 1; id <= 3; ++id)
    channels.leave(id, now + id * 1s);
  wanted.running = false;
  BOOST_TEST((channels.next(now + 3s, wanted) == step::wait));
  BOOST_REQUIRE(channels.deadline().has_value());
  // The close of the last one may still be on its way.
  BOOST_TEST((*channels.deadline() == now + 13s));
  BOOST_TEST((channels.next(now + 13s - 1ns, wanted) == step::wait));
  BOOST_TEST((channels.next(now + 13s, wanted) == step::give_up_connection));
}

BOOST_AUTO_TEST_CASE(channels_that_do_not_close_are_not_counted_for_ever_while_others_run) {
  start_commands(3);
  channels.leave(1, now);
  channels.leave(2, now + 1s);
  BOOST_TEST((channels.next(now + 10s, wanted) == step::start_command));
  BOOST_TEST(channels.slots().open() == 2U);
  channels.take(false);
  BOOST_TEST((channels.next(now + 10s, wanted) == step::wait));
  BOOST_TEST((*channels.deadline() == now + 11s));
  // Its close comes after all, and must not count twice.
  channels.closed(1);
  BOOST_TEST(channels.slots().open() == 3U);
}

BOOST_AUTO_TEST_CASE(channels_that_do_not_close_matter_only_to_commands_that_wait) {
  start_commands(3);
  for (ssh::exec_id id = 1; id <= 3; ++id)
    channels.leave(id, now);
  wanted.command = false;
  wanted.running = false;
  BOOST_TEST((channels.next(now + 1h, wanted) == step::wait));
  BOOST_TEST(!channels.deadline().has_value());
}

BOOST_AUTO_TEST_CASE(a_connection_with_nothing_but_a_spare_is_unused) {
  BOOST_TEST(channels.is_unused());
  channels.take(false);
  BOOST_TEST(!channels.is_unused());
  channels.closed(1);
  channels.spare_requested();
  BOOST_TEST(channels.is_unused());
}

BOOST_AUTO_TEST_SUITE_END()
