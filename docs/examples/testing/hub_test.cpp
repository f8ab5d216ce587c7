#define BOOST_TEST_MODULE hub
#include <sshexec/actors/executor.hpp>
#include <sshexec/testing/faulty_proxy.hpp>
#include <sshexec/testing/openssh_server.hpp>
#include <sshexec/testing/scripted_server.hpp>
#include <sshexec/testing/temporary_directory.hpp>

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <string>

namespace testing = sshexec::testing;
namespace step = sshexec::testing::step;

namespace {

struct config : caf::actor_system_config {
  config() { sshexec::register_messages(*this); }
};

/// What is tested: an actor system with an executor.
struct hub {
  hub() {
    sshexec::settings settings;
    settings.known_hosts_file = files.path() / "known_hosts";
    settings.journal = "none";
    settings.retry_delays = {std::chrono::milliseconds{10}};
    executor = *sshexec::spawn_executor(system, settings);
  }

  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;

  ~hub() { caf::anon_send_exit(executor, caf::exit_reason::user_shutdown); }

  caf::expected<sshexec::command_result> run(const sshexec::machine& target,
                                             const std::string& line) {
    sshexec::command what;
    what.line = line;
    caf::expected<sshexec::command_result> outcome{caf::sec::none};
    caf::scoped_actor self{system};
    self->request(executor, caf::infinite, sshexec::execute_atom_v, target, what)
      .receive([&](sshexec::command_result& result) { outcome = std::move(result); },
               [&](caf::error& reason) { outcome = std::move(reason); });
    return outcome;
  }

  testing::temporary_directory files;
  config system_config;
  caf::actor_system system{system_config};
  sshexec::executor_actor executor;
};

sshexec::machine machine_of(const testing::scripted_server& server) {
  sshexec::machine result;
  result.hostname = server.host();
  result.port = server.port();
  result.username = "anyone";
  result.identity_file = server.client_key_file();
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_hub, hub)

BOOST_AUTO_TEST_CASE(runs_commands_by_the_shell) {
  const testing::scripted_server server;
  const auto result = run(machine_of(server), "echo hello");
  BOOST_REQUIRE(result);
  BOOST_TEST(result->output.stdout_data == "hello\n");
}

BOOST_AUTO_TEST_CASE(tries_again_when_a_server_breaks_the_first_connection) {
  testing::scripted_server::options options;
  options.connections = [](unsigned connection) {
    testing::connection_script script;
    if (connection == 1)
      script.breaks = {testing::phase::authentication, testing::breakage::reset};
    return script;
  };
  options.commands = [](const std::string&) { return testing::print("at last"); };
  const testing::scripted_server server{options};

  const auto result = run(machine_of(server), "anything");
  BOOST_REQUIRE(result);
  BOOST_TEST(result->output.stdout_data == "at last");
  BOOST_TEST(result->attempts == 2U);
  BOOST_TEST(count(server.record(), testing::event::connection_broken) == 1U);
}

BOOST_AUTO_TEST_CASE(hears_of_a_signal_and_of_what_was_written_before) {
  testing::scripted_server::options options;
  options.commands = [](const std::string&) {
    testing::command_script script;
    script.steps = {step::out{"half"}, step::exit_signal{"KILL"}, step::close{}};
    return script;
  };
  const testing::scripted_server server{options};

  const auto result = run(machine_of(server), "anything");
  BOOST_REQUIRE(result);
  BOOST_TEST(result->exit_signal == "KILL");
  BOOST_TEST(result->output.stdout_data == "half");
}

BOOST_AUTO_TEST_CASE(gives_up_when_the_network_refuses) {
  const testing::scripted_server server;
  testing::faulty_proxy proxy{server.host(), server.port()};
  sshexec::machine target = machine_of(server);
  target.port = proxy.port();
  BOOST_REQUIRE(run(target, "true"));

  proxy.change({.behaviour = testing::network::mode::refuse});
  proxy.break_connections(testing::ending::reset);
  const auto result = run(target, "true");
  BOOST_REQUIRE(!result);
  BOOST_TEST(is(result.error(), sshexec::error_code::connection_error));
}

BOOST_AUTO_TEST_CASE(runs_commands_on_a_real_server) {
  const testing::openssh_server server;
  sshexec::machine target;
  target.hostname = server.host();
  target.port = server.port();
  target.username = server.user();
  target.identity_file = server.identity_file();

  const auto result = run(target, "exit 3");
  BOOST_REQUIRE(result);
  BOOST_TEST(result->exit_code == 3);
}

BOOST_AUTO_TEST_SUITE_END()
