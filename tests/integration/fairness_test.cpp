#include "hub.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

/// Machines do not wait for each other, however much one of them has to say.
namespace {

namespace step = testing::step;

/// More than there are threads that watch sockets, on a machine of few cores.
constexpr int floods = 6;

struct flooded_hub : hub {
  flooded_hub() {
    for (int i = 0; i < floods; ++i)
      servers.push_back(std::make_unique<testing::scripted_server>(
        testing::scripted_server::options{.commands = [](const std::string&) {
          return testing::command_script{.steps = {step::flood{}}};
        }}));
  }

  /// Lets all of them flood for as long as the test lasts.
  void begin(const output_consumer& consumer) {
    for (const auto& server : servers) {
      command what = make_command("flood");
      what.output_to = consumer;
      what.timeout = std::chrono::minutes{10};
      self->send(executor, execute_atom_v, machine_of(*server), what);
    }
  }

  std::vector<std::unique_ptr<testing::scripted_server>> servers;
  caf::scoped_actor self{system};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(fairness, flooded_hub)

BOOST_AUTO_TEST_CASE(floods_of_output_leave_other_machines_their_turn) {
  // It has a thread of its own, so the floods depend on nobody else's.
  const auto taken = std::make_shared<std::atomic<std::size_t>>(0);
  const auto consumer = system.spawn<caf::detached>(
    [taken](output_consumer::pointer) -> output_consumer::behavior_type {
      return {[taken](const output_chunk& chunk) { *taken += chunk.data.size(); }};
    });
  begin(consumer);
  const testing::scripted_server quiet;
  for (int i = 0; i < 5; ++i)
    BOOST_TEST(run(machine_of(quiet), "echo fine").succeeded());
  BOOST_TEST(*taken > 0U);
  caf::anon_send_exit(consumer, caf::exit_reason::user_shutdown);
}

/// Their output is granted by the supervisor itself, in the handler that got it.
BOOST_AUTO_TEST_CASE(floods_that_nobody_takes_can_be_ended) {
  const auto consumer
    = system.spawn([](output_consumer::pointer self) -> output_consumer::behavior_type {
        self->quit();
        return {[](const output_chunk&) {}};
      });
  command brief = make_command("flood");
  brief.output_to = consumer;
  brief.timeout = std::chrono::seconds{1};
  brief.retry = retry_policy::never;
  const answer ended = run(machine_of(*servers.front()), brief);
  BOOST_TEST(ended.failed_with(error_code::command_timeout));
}

BOOST_AUTO_TEST_SUITE_END()
