#include "crowd.hpp"
#include "process_resources.hpp"
#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

/// A hundred thousand commands for one machine that does not answer.
namespace {

/// What one wave brings is all that mailboxes hold.
constexpr std::size_t wave = 1'000;

/// All commands together would be a gigabyte, those that may wait a tenth of it.
constexpr std::size_t size_of_command = 10'000;
constexpr std::size_t memory_bound = 400'000'000;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
// What was freed stays with a sanitizer for a while; and it is slow.
constexpr bool memory_can_be_measured = false;
constexpr std::size_t flood = 20'000;
#else
constexpr bool memory_can_be_measured = true;
constexpr std::size_t flood = 100'000;
#endif

struct flooded_pool : simulated_pool {
  flooded_pool() {
    network.on_dial = [](simulated_connection&) {};
    command big = some_command();
    big.stdin_data = std::string(size_of_command, 'x');
    for (std::size_t sent = 0; sent < flood; sent += wave) {
      callers.send(wave, some_machine(), big);
      settle();
      // Here it would count as a leak of the executor.
      most_in_journal += journal.size();
      journal.clear();
    }
  }

  ~flooded_pool() { callers.leave(); }

  const std::size_t allowed = pool_settings.max_queued;
  const std::size_t refused = flood - allowed;
  process_resources before;
  std::size_t most_in_journal = 0;
  crowd callers{system, registry};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(overload, flooded_pool)

BOOST_AUTO_TEST_CASE(what_is_beyond_the_limit_is_refused_at_once_and_takes_no_memory) {
  BOOST_TEST(callers.answers() == refused);
  BOOST_TEST(callers.failed_with(error_code::overloaded) == refused);
  BOOST_TEST(most_in_journal == refused);
  const process_resources after;
  BOOST_TEST_MESSAGE("memory grew by " << after.resident_bytes - before.resident_bytes);
  if (memory_can_be_measured)
    BOOST_TEST(after.resident_bytes < before.resident_bytes + memory_bound);
}

BOOST_AUTO_TEST_CASE(a_waiting_command_can_be_cancelled_and_makes_room_for_another_one) {
  callers.cancel(some_machine(), std::to_string(allowed / 2));
  settle();
  BOOST_TEST(callers.failed_with(error_code::cancelled) == 1U);
  callers.send(2, some_machine(), some_command());
  settle();
  BOOST_TEST(callers.failed_with(error_code::overloaded) == refused + 1);
}

BOOST_AUTO_TEST_CASE(another_machine_is_served_all_the_same) {
  network.on_dial = nullptr;
  const auto answer = request(some_command(), some_machine("other"));
  simulated_connection& link = *network.alive.back();
  BOOST_REQUIRE(link.started.size() == 1);
  link.finish(link.started.front().first, 0);
  settle();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_shutdown_answers_every_caller_once_and_leaves_no_actor) {
  shut_down();
  BOOST_TEST(callers.answers() == flood);
  BOOST_TEST(callers.failed_with(error_code::shutting_down) == allowed);
  BOOST_TEST(callers.nobody_was_answered_twice());
  callers.leave();
  settle();
  BOOST_TEST(actors_left() == 0U);
}

BOOST_AUTO_TEST_CASE(all_are_told_when_the_last_attempt_has_failed) {
  pass(1min);
  BOOST_TEST(callers.answers() == flood);
  BOOST_TEST(callers.failed_with(error_code::connection_error) == allowed);
  BOOST_TEST(callers.nobody_was_answered_twice());
  BOOST_TEST(network.dialed == pool_settings.retry_delays.size() + 1);
}

BOOST_AUTO_TEST_CASE(the_commands_of_a_caller_that_ends_are_forgotten) {
  callers.leave();
  settle();
  BOOST_TEST(journal.size() == allowed);
  const auto answer = request(some_command());
  BOOST_TEST(!answer->arrived());
  pass(1min);
  BOOST_TEST(answer->failed_with(error_code::connection_error));
}

BOOST_AUTO_TEST_SUITE_END()
