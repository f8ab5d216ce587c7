#define BOOST_TEST_MODULE hub
#include "monitor.hpp"
#include <sshexec/actors/executor.hpp>
#include <sshexec/testing/faulty_proxy.hpp>
#include <sshexec/testing/openssh_server.hpp>
#include <sshexec/testing/played_executor.hpp>
#include <sshexec/testing/scripted_server.hpp>
#include <sshexec/testing/virtual_time.hpp>

#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace testing = sshexec::testing;
namespace step = sshexec::testing::step;
using namespace std::chrono_literals;

namespace {

struct hub_config : caf::actor_system_config {
  hub_config() { sshexec::register_messages(*this); }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

/// On virtual time, with a stand-in for the executor: what a test needs that is about time, not
/// SSH.
namespace {

struct with_simulated_executor : testing::virtual_time<hub_config> {
  bool machine_is_there = true;
  testing::played_executor executor{
    system, [this](const testing::played_request&) {
      return machine_is_there
               ? testing::ends_with(0)
               : testing::fails_with(sshexec::error_code::connection_error, "web-1: refused");
    }};
  caf::actor monitor = owned(system.spawn(hub::monitor, executor.actor(), sshexec::machine{}));

  std::size_t commands() const { return executor.requests().size(); }

  std::uint64_t alarms() {
    std::uint64_t result = 0;
    const auto asking = system.spawn([&](caf::event_based_actor* self) {
      self->request(monitor, caf::infinite, hub::alarms_atom_v).then([&](std::uint64_t count) {
        result = count;
      });
    });
    settle();
    return result;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(on_virtual_time, with_simulated_executor)

BOOST_AUTO_TEST_CASE(a_machine_is_checked_at_once_and_every_minute) {
  settle();
  BOOST_TEST(commands() == 1U);
  pass(1min - 1ns);
  BOOST_TEST(commands() == 1U);
  pass(1ns);
  BOOST_TEST(commands() == 2U);
  pass(24h);
  BOOST_TEST(commands() == 2U + 24 * 60);
}

BOOST_AUTO_TEST_CASE(an_alarm_is_counted_for_each_check_of_a_machine_that_is_gone) {
  pass(1h);
  BOOST_TEST(alarms() == 0U);
  machine_is_there = false;
  pass(1h);
  BOOST_TEST(alarms() == 60U);
}

BOOST_AUTO_TEST_SUITE_END()

/// On real time, with real sockets and a real executor.
namespace {

struct with_real_executor {
  with_real_executor() {
    sshexec::settings settings;
    settings.retry_delays = {10ms, 20ms};
    settings.host_key_policy = sshexec::host_key_policy::off;
    settings.journal = "none";
    executor = *sshexec::spawn_executor(system, settings);
  }

  ~with_real_executor() {
    caf::anon_send_exit(monitor, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
  }

  /// What a check of the machine tells.
  std::string check(const sshexec::machine& target) {
    if (!monitor)
      monitor = system.spawn(hub::monitor, executor, target);
    std::string result;
    caf::scoped_actor self{system};
    self->request(monitor, caf::infinite, hub::check_atom_v)
      .receive([&](std::string& what) { result = std::move(what); },
               [&](const caf::error& error) { BOOST_ERROR(system.render(error)); });
    return result;
  }

  hub_config config;
  caf::actor_system system{config};
  sshexec::executor_actor executor;
  caf::actor monitor;
};

sshexec::machine machine_of(const testing::scripted_server& server) {
  sshexec::machine result;
  result.hostname = server.host();
  result.port = server.port();
  result.username = "anyone";
  result.identity_file = server.client_key_file();
  return result;
}

testing::command_script healthy(const std::string&) {
  return testing::print("fine");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(on_real_time, with_real_executor)

BOOST_AUTO_TEST_CASE(what_a_scripted_machine_complains_of_is_told) {
  const testing::scripted_server server{{.commands = [](const std::string&) {
    return testing::command_script{
      .steps = {step::err{"the disk is full"}, step::exit_status{1}, step::eof{}, step::close{}}};
  }}};
  BOOST_TEST(check(machine_of(server)) == "the disk is full");
  BOOST_TEST(count(server.record(), testing::event::exec_requested, "check-health") >= 1U);
}

BOOST_AUTO_TEST_CASE(a_machine_that_takes_no_key_is_told) {
  const testing::scripted_server server{{.connections = [](unsigned) {
    return testing::connection_script{.keys = testing::accepted_keys::none};
  }}};
  BOOST_TEST(contains(check(machine_of(server)), "publickey"));
}

BOOST_AUTO_TEST_CASE(a_network_that_breaks_is_survived) {
  const testing::scripted_server server{{.commands = healthy}};
  testing::faulty_proxy network{server.host(), server.port(), {.latency = 5ms}};
  sshexec::machine target = machine_of(server);
  target.port = network.port();
  BOOST_TEST(check(target) == "");
  network.break_connections(testing::ending::reset);
  BOOST_TEST(check(target) == "");
  BOOST_TEST(network.connections() >= 2U);
  network.change({.behaviour = testing::network::mode::refuse});
  network.break_connections(testing::ending::hang_up);
  BOOST_TEST(contains(check(target), "refused"));
}

BOOST_AUTO_TEST_CASE(a_real_machine_without_the_program_is_told) {
  const testing::openssh_server server{{.configuration = "MaxSessions 2\n"}};
  sshexec::machine target;
  target.hostname = server.host();
  target.port = server.port();
  target.username = server.user();
  target.identity_file = server.identity_file();
  BOOST_TEST(contains(check(target), "check-health"));
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
