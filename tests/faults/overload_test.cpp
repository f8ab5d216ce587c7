#include "crowd.hpp"
#include "hub.hpp"
#include "process_resources.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

/// What is promised of an overload is told in detail by tests on virtual time.
namespace {

#ifdef __SANITIZE_THREAD__
// A message that passes through CAF costs it tens of milliseconds.
constexpr std::size_t flood = 400;
constexpr std::uint32_t allowed = 200;
#else
constexpr std::size_t flood = 100'000;
const std::uint32_t allowed = settings{}.max_queued;
#endif

/// Only a failing test waits this long.
constexpr std::chrono::seconds patience{300};

settings patient_settings() {
  settings result;
  result.connect_timeout = 1h;
  result.max_queued = allowed;
  return result;
}

testing::connection_script silent(unsigned) {
  return {.breaks = testing::fault{testing::phase::accepted, testing::breakage::silence}};
}

} // namespace

BOOST_AUTO_TEST_CASE(a_flood_of_commands_for_a_silent_machine_is_refused_or_ended) {
  testing::scripted_server sick{{.connections = silent}};
  testing::scripted_server healthy;
  hub pool{patient_settings()};
  BOOST_REQUIRE(pool.run(machine_of(healthy), "true").succeeded());
  const process_resources before;
  crowd callers{pool.system, pool.executor};

  callers.send(flood, machine_of(sick), make_command("true"));
  BOOST_REQUIRE(callers.wait_for(flood - allowed, patience));
  BOOST_TEST(callers.failed_with(error_code::overloaded) == flood - allowed);
  BOOST_REQUIRE(sick.wait_for(testing::event::connection_accepted));
  BOOST_TEST(count(sick.record(), testing::event::connection_accepted) == 1U);
  const process_resources during;
  BOOST_TEST(during.threads <= before.threads + 1);
  BOOST_TEST(during.descriptors <= before.descriptors + 4);

  BOOST_TEST(pool.run(machine_of(healthy), "true").succeeded());

  callers.cancel(machine_of(sick), std::to_string(allowed - 1));
  BOOST_REQUIRE(callers.wait_for(flood - allowed + 1, patience));
  BOOST_TEST(callers.failed_with(error_code::cancelled) == 1U);

  caf::anon_send_exit(pool.executor, caf::exit_reason::user_shutdown);
  BOOST_REQUIRE(callers.wait_for(flood, patience));
  BOOST_TEST(callers.failed_with(error_code::shutting_down) == allowed - 1);
  BOOST_TEST(callers.nobody_was_answered_twice());
  BOOST_TEST(sick.wait_for(testing::event::disconnected));
  callers.leave();
  pool.shut_down();
  BOOST_TEST(pool.journal().size() == flood + 2);
}
