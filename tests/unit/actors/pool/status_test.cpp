#include "two_channel_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

struct pending_status {
  std::vector<executor_status> answers;
  std::vector<caf::error> errors;
};

std::shared_ptr<pending_status> ask_status(simulated_pool& pool) {
  auto result = std::make_shared<pending_status>();
  pool.system.spawn([&pool, result](caf::event_based_actor* self) {
    self->request(pool.registry, caf::infinite, status_atom_v)
      .then([result](executor_status& x) { result->answers.push_back(std::move(x)); },
            [result](caf::error& x) { result->errors.push_back(std::move(x)); });
  });
  return result;
}

struct fixture : two_channel_pool {
  executor_status status() {
    const auto asked = ask_status(*this);
    settle();
    BOOST_REQUIRE(asked->answers.size() == 1);
    return asked->answers.front();
  }

  machine_status only_machine() {
    const executor_status all = status();
    BOOST_REQUIRE(all.machines.size() == 1);
    return all.machines.front();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(observation, fixture)

BOOST_AUTO_TEST_CASE(an_unused_executor_has_an_empty_status) {
  BOOST_TEST((status() == executor_status{}));
}

BOOST_AUTO_TEST_CASE(the_status_counts_what_runs_waits_and_ended) {
  network.on_start = start_only;
  for (int i = 0; i < 6; ++i)
    request(some_command());
  request(some_command(" "));
  pass(1s);
  connection().finish(1, 1);
  settle();
  pass(29s);
  // The second one is given up; whether it ended is not known, so its channel still counts.
  pass(4s);
  const auto all = status();
  BOOST_TEST(all.requests == 7U);
  BOOST_TEST(all.refused == 1U);
  BOOST_REQUIRE(all.machines.size() == 1);
  const machine_status& busy = all.machines[0];
  BOOST_TEST((busy.state == machine_state::connected));
  BOOST_TEST(busy.succeeded == 1U);
  BOOST_TEST(busy.failed == 1U);
  BOOST_TEST(busy.running == 1U);
  BOOST_TEST(busy.waiting == 3U);
  BOOST_TEST(busy.open_channels == 2U);
  BOOST_TEST(busy.channel_limit == 2U);
  BOOST_TEST(bool{busy.connected_since});
  BOOST_TEST((busy.latency.p50 > 950ms));
  BOOST_TEST((busy.latency.p99 < 1050ms));
}

BOOST_AUTO_TEST_CASE(the_status_tells_how_the_executor_stands_to_a_machine) {
  network.on_dial = [](simulated_connection&) {};
  request(some_command());
  BOOST_TEST((only_machine().state == machine_state::connecting));
  BOOST_TEST(only_machine().waiting == 1U);
  pass(10s);
  BOOST_TEST((only_machine().state == machine_state::backing_off));
  BOOST_TEST(!only_machine().connected_since);
  network.on_dial = nullptr;
  network.on_start = succeed_at_once;
  pass(1s);
  BOOST_TEST((only_machine().state == machine_state::connected));
  BOOST_TEST(only_machine().channel_limit == pool_settings.max_channels);
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_TEST((only_machine().state == machine_state::disconnected));
}

BOOST_AUTO_TEST_CASE(the_status_shows_machines_in_their_order) {
  network.on_start = succeed_at_once;
  for (const std::string name : {"c", "a", "b"})
    request(some_command(), some_machine(name));
  const auto all = status();
  BOOST_REQUIRE(all.machines.size() == 3);
  BOOST_TEST(all.machines[0].machine.hostname == "a");
  BOOST_TEST(all.machines[1].machine.hostname == "b");
  BOOST_TEST(all.machines[2].machine.hostname == "c");
}

BOOST_AUTO_TEST_CASE(the_latency_in_the_status_is_that_of_all_machines) {
  BOOST_TEST((status().latency.percentiles() == latency_percentiles{}));
  network.on_start = start_only;
  for (const auto& [name, lasted] : {std::pair{"quick", 1s}, std::pair{"slow", 20s}}) {
    request(some_command(), some_machine(name));
    pass(lasted);
    network.alive.back()->finish(1, 0);
    settle();
  }
  const latency_percentiles seen = status().latency.percentiles();
  BOOST_TEST((seen.p50 > 950ms));
  BOOST_TEST((seen.p50 < 1050ms));
  BOOST_TEST((seen.p99 > 19s));
  BOOST_TEST((seen.p99 < 21s));
}

BOOST_AUTO_TEST_CASE(a_retired_machine_is_not_in_the_status) {
  network.on_start = succeed_at_once;
  request(some_command());
  pass(5min);
  BOOST_TEST(status().machines.empty());
  BOOST_TEST(status().requests == 1U);
}

BOOST_AUTO_TEST_CASE(everyone_who_asks_at_once_gets_the_status) {
  network.on_start = succeed_at_once;
  request(some_command());
  std::vector<std::shared_ptr<pending_status>> asked;
  for (int i = 0; i < 10; ++i)
    asked.push_back(ask_status(*this));
  settle();
  for (const auto& x : asked) {
    BOOST_REQUIRE(x->answers.size() == 1U);
    BOOST_TEST(x->answers[0].machines.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(supervisors_that_end_meanwhile_do_not_hold_the_status_up) {
  // At every point of the conversation: after so many messages the pool begins to end.
  for (int messages = 0; messages < 20; ++messages) {
    simulated_pool pool;
    pool.network.on_start = succeed_at_once;
    pool.request(some_command(), some_machine("a"));
    pool.request(some_command(), some_machine("b"));
    const auto asked = ask_status(pool);
    for (int i = 0; i < messages; ++i)
      pool.scheduler.try_run_once();
    pool.begin_shutdown();
    BOOST_TEST(asked->answers.size() + asked->errors.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_retired_meanwhile_does_not_hold_the_status_up) {
  for (int messages = 0; messages < 20; ++messages) {
    simulated_pool pool;
    pool.network.on_start = succeed_at_once;
    pool.request(some_command());
    const auto asked = ask_status(pool);
    for (int i = 0; i < messages; ++i)
      pool.scheduler.try_run_once();
    pool.pass(5min);
    BOOST_TEST(asked->answers.size() == 1U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
