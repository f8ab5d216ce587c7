#include "nodes.hpp"
#include "rolled_out.hpp"
#include "served.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <fstream>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// Many machines that are one server, under user names of their own.
rollout over(const machine& target, std::size_t machines) {
  rollout result;
  for (std::size_t i = 0; i < machines; ++i) {
    machine x = target;
    x.username = "user-" + std::to_string(i);
    result.machines.push_back(std::move(x));
  }
  result.command.line = "echo %u";
  result.expand = true;
  result.at_once = 10;
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(rollout_test, stage)

BOOST_AUTO_TEST_CASE(through_a_hub_each_machine_has_its_outcome) {
  const hub_node hub{directory, secured()};
  client_node client{to(hub)};
  const rolled_out seen = run_rollout(client.system, client.executor, over(target, 40));
  BOOST_TEST(!seen.told_twice);
  BOOST_TEST(seen.summary.succeeded == 40U);
  for (const auto& [place, x] : seen.outcomes)
    BOOST_TEST(x.result.output.stdout_data == "user-" + std::to_string(place) + '\n');
}

BOOST_AUTO_TEST_CASE(a_hub_that_dies_leaves_each_machine_what_is_true_of_it) {
  const std::string configuration = directory.path() / "sshexec.conf";
  std::ofstream{configuration} << "sshexec {\n  host-key-policy = \"off\"\n}\n";
  served hub{{"--plain", "--journal", "none", "--config", configuration}};
  connect_settings config;
  config.hub.port = hub.port();
  config.plain = true;
  client_node client{config};
  rollout what = over(target, 60);
  what.max_failures = portion{10, false};
  const rolled_out seen = run_rollout(client.system, client.executor, what,
                                      [&](const rollout_actor&, std::size_t outcomes) {
                                        if (outcomes == 20)
                                          hub.process().signal(SIGKILL);
                                      });
  BOOST_TEST(!seen.told_twice);
  BOOST_TEST(seen.outcomes.size() == 60U);
  BOOST_TEST(seen.summary.succeeded >= 20U);
  BOOST_TEST(seen.summary.never_started.at(skip_reason::too_many_failures) > 0U);
  for (const auto& [place, x] : seen.outcomes) {
    if (x.kind == outcome_kind::failed)
      BOOST_TEST((x.code == error_code::connection_error), x.what.message);
  }
}

BOOST_AUTO_TEST_SUITE_END()
