#include "hub.hpp"
#include "listening.hpp"
#include "meeting_place.hpp"
#include "sshexec/testing/process.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

/// What a hub puts in place of the executor's own services, and what the executor tells it, against
/// OpenSSH.
namespace {

std::string text_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A hub whose executors ask its own stores.
class embedding {
public:
  explicit embedding(settings wanted = quick_settings()) {
    wanted.host_key_policy = host_key_policy::off;
    pool = std::make_unique<hub>(wanted, [this](caf::actor_system& system, const settings& config) {
      of_hub.credentials = system.spawn([this]() -> credential_store::behavior_type {
        return {[this](load_atom, const machine&) {
          const std::lock_guard lock{mutex};
          return found;
        }};
      });
      return spawn_executor(system, config, of_hub);
    });
    target.identity_file.clear();
  }

  ~embedding() {
    caf::anon_send_exit(of_hub.credentials, caf::exit_reason::user_shutdown);
    of_hub = {};
  }

  embedding(const embedding&) = delete;
  embedding& operator=(const embedding&) = delete;

  void use(std::vector<credential> sources) {
    const std::lock_guard lock{mutex};
    found.sources = std::move(sources);
  }

  testing::openssh_server server{{.configuration = "MaxStartups 100\n"}};
  machine target = machine_of(server);
  std::mutex mutex;
  credentials found;
  executor_services of_hub;
  std::unique_ptr<hub> pool;
};

key_in_memory in_memory(const std::string& file) {
  return {ssh::secret{text_of(file)}, {}};
}

/// An SSH agent of OpenSSH.
class agent {
public:
  agent() {
    process_ = testing::start_program({"ssh-agent", "-D", "-a", socket()}, null_.get());
    while (!is_listening(socket()) && testing::is_running(process_))
      std::this_thread::sleep_for(1ms);
  }

  ~agent() { testing::kill_and_wait({process_}); }

  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;

  [[nodiscard]] std::string socket() const { return directory_.path() / "agent"; }

  void add(const std::string& file, const std::string& options = {}) const {
    // Options are one word, or none.
    testing::arguments line{"env", "SSH_AUTH_SOCK=" + socket(), "ssh-add", "-q"};
    if (!options.empty())
      line.push_back(options);
    line.push_back(file);
    testing::require_program(line);
  }

  void stop() const { ::kill(process_, SIGSTOP); }

  void go_on() const { ::kill(process_, SIGCONT); }

private:
  testing::temporary_directory directory_;
  ssh::file_descriptor null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  pid_t process_ = 0;
};

std::string make_other_key(const hub& pool, const std::string& name,
                           const std::string& type = "ed25519") {
  const std::string file = pool.directory.path() / name;
  testing::require_program({"ssh-keygen", "-q", "-t", type, "-N", "", "-f", file});
  return file;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(hub_services, embedding)

BOOST_AUTO_TEST_CASE(a_key_from_memory_logs_in) {
  use({in_memory(server.identity_file())});
  BOOST_TEST(pool->run(target, "true").succeeded());
}

BOOST_AUTO_TEST_CASE(the_user_name_of_the_credentials_logs_in) {
  found.username = target.username;
  target.username = "nobody_of_that_name";
  use({in_memory(server.identity_file())});
  BOOST_TEST(pool->run(target, "true").succeeded());
}

BOOST_AUTO_TEST_CASE(a_changed_credential_closes_the_connection_that_used_the_old_one) {
  use({in_memory(server.identity_file())});
  BOOST_TEST(pool->run(target, "true").succeeded());
  BOOST_TEST(server.authentications() == 1U);
  use({in_memory(make_other_key(*pool, "other"))});
  caf::anon_send(pool->executor, changed_atom_v, target);
  BOOST_TEST(pool->run(target, "true").failed_with(error_code::authentication_error));
  use({in_memory(server.identity_file())});
  caf::anon_send(pool->executor, changed_atom_v);
  BOOST_TEST(pool->run(target, "true").succeeded());
  BOOST_TEST(server.authentications() == 2U);
}

BOOST_AUTO_TEST_CASE(a_store_serves_two_executors_and_survives_both) {
  use({in_memory(server.identity_file())});
  settings wanted = quick_settings();
  wanted.host_key_policy = host_key_policy::off;
  wanted.journal = "none";
  const auto second = spawn_executor(pool->system, wanted, of_hub);
  BOOST_REQUIRE(second);
  const auto runs = [&](const executor_actor& executor) {
    bool succeeded = false;
    caf::scoped_actor self{pool->system};
    self->request(executor, caf::infinite, execute_atom_v, target, make_command("true"))
      .receive([&](const command_result&) { succeeded = true; }, [](const caf::error&) {});
    return succeeded;
  };
  BOOST_TEST(runs(*second));
  {
    caf::scoped_actor self{pool->system};
    self->send_exit(*second, caf::exit_reason::user_shutdown);
    self->wait_for(*second);
  }
  BOOST_TEST(runs(pool->executor));
}

BOOST_AUTO_TEST_CASE(keys_of_an_agent_log_in) {
  const agent keys;
  for (const std::string type : {"rsa", "ed25519", "ecdsa"})
    keys.add(make_other_key(*pool, type, type));
  keys.add(server.identity_file());
  use({key_agent{keys.socket()}});
  const auto answer = pool->run(target, "echo in");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "in\n");
}

BOOST_AUTO_TEST_CASE(an_agent_is_asked_behind_keys_that_the_server_refuses) {
  const agent keys;
  keys.add(server.identity_file());
  use({key_agent{keys.socket()}, in_memory(make_other_key(*pool, "other"))});
  BOOST_TEST(pool->run(target, "true").succeeded());
}

BOOST_AUTO_TEST_CASE(an_agent_whose_keys_the_server_refuses_is_an_authentication_error) {
  const agent keys;
  keys.add(make_other_key(*pool, "other"));
  use({key_agent{keys.socket()}});
  const auto answer = pool->run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::authentication_error));
  BOOST_TEST(answer.what().message.find("the server accepts publickey") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_agent_that_does_not_sign_is_told) {
  const agent keys;
  // Nobody is there to confirm the use of the key.
  keys.add(server.identity_file(), "-c");
  use({key_agent{keys.socket()}});
  const auto answer = pool->run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::authentication_error));
  BOOST_TEST(answer.what().message.find("did not sign") != std::string::npos,
             answer.what().message);
}

BOOST_AUTO_TEST_CASE(an_agent_that_is_not_there_is_told_with_its_path) {
  use({key_agent{"/nowhere/agent"}});
  const auto answer = pool->run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::configuration_error));
  BOOST_TEST(answer.what().message.find("/nowhere/agent: No such file") != std::string::npos,
             answer.what().message);
}

BOOST_AUTO_TEST_CASE(an_agent_that_takes_its_time_holds_up_only_its_own_machines) {
  const agent keys;
  keys.add(server.identity_file());
  keys.stop();
  use({key_agent{keys.socket()}});
  // More than there are threads that they could hold up.
  std::vector<std::future<answer>> waiting;
  for (std::size_t i = 0; i < 8; ++i) {
    machine held = target;
    held.id = std::to_string(i);
    waiting.push_back(
      std::async(std::launch::async, [&, held] { return pool->run(held, "true"); }));
  }
  while (server.connections() < waiting.size())
    std::this_thread::sleep_for(1ms);
  const testing::openssh_server other;
  use({in_memory(other.identity_file())});
  BOOST_TEST(pool->run(machine_of(other), "true").succeeded());
  BOOST_TEST(server.authentications() == 0U);
  keys.go_on();
  for (auto& x : waiting)
    BOOST_TEST(x.get().succeeded());
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// A hub with a host-key store of its own.
struct keeping {
  keeping() {
    settings wanted = quick_settings();
    pool = std::make_unique<hub>(wanted, [this](caf::actor_system& system, const settings& config) {
      store = system.spawn([this]() -> host_key_store::behavior_type {
        return {
          [this](look_up_atom, const std::string&, std::uint16_t) {
            const std::lock_guard lock{mutex};
            return known;
          },
          [this](remember_atom, const std::string& host, std::uint16_t port,
                 const ssh::host_key& key) {
            const std::lock_guard lock{mutex};
            known.trusted.push_back(key);
            remembered = host + ':' + std::to_string(port);
            return key;
          },
        };
      });
      executor_services of_hub;
      of_hub.host_keys = store;
      return spawn_executor(system, config, of_hub);
    });
  }

  ~keeping() {
    caf::anon_send_exit(store, caf::exit_reason::user_shutdown);
    store = nullptr;
  }

  testing::openssh_server server;
  std::mutex mutex;
  ssh::known_keys known;
  std::string remembered;
  host_key_store store;
  std::unique_ptr<hub> pool;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(host_keys_of_a_hub, keeping)

BOOST_AUTO_TEST_CASE(an_unknown_host_key_is_remembered_by_the_hubs_own_store) {
  BOOST_TEST(pool->run(machine_of(server), "true").succeeded());
  const std::lock_guard lock{mutex};
  BOOST_TEST(remembered == server.host() + ':' + std::to_string(server.port()));
  BOOST_REQUIRE(known.trusted.size() == 1U);
  BOOST_TEST(ssh::fingerprint(known.trusted[0]) == server.host_key_fingerprint());
  BOOST_TEST(!std::filesystem::exists(pool->directory.path() / "known_hosts"));
}

BOOST_AUTO_TEST_CASE(a_host_key_that_differs_from_the_hubs_own_record_is_refused) {
  known.trusted.push_back(
    {"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAICaFogyROqZmUOiu+bwZtr7LM0Gkt2KEVHYeXhtKsvq4"});
  BOOST_TEST(pool->run(machine_of(server), "true").failed_with(error_code::host_key_error));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct observed : hub {
  /// What happens until a command is answered.
  std::vector<pool_event> events_of(const machine& target, const command& what) {
    caf::scoped_actor self{system};
    const auto receiver = caf::actor_cast<caf::actor>(self);
    const observer_actor observer = system.spawn([receiver]() -> observer_actor::behavior_type {
      return {[receiver](const pool_event& event) { caf::anon_send(receiver, event); }};
    });
    self->send(executor, subscribe_atom_v, observer);
    run(target, what);
    std::vector<pool_event> result;
    do {
      self->receive([&](pool_event& event) { result.push_back(std::move(event)); });
    } while (result.back().kind != pool_event_kind::command_finished);
    self->send(executor, unsubscribe_atom_v, observer);
    self->send_exit(observer, caf::exit_reason::user_shutdown);
    return result;
  }

  executor_status status() {
    executor_status result;
    caf::scoped_actor self{system};
    self->request(executor, caf::infinite, status_atom_v)
      .receive([&](executor_status& x) { result = std::move(x); },
               [](const caf::error& reason) { BOOST_ERROR(to_failure(reason).message); });
    return result;
  }

  testing::openssh_server server;
  machine target = machine_of(server);
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(observed_executor, observed)

BOOST_AUTO_TEST_CASE(an_observer_sees_the_story_of_a_command) {
  command what = make_command("exit 3");
  what.id = "request 1";
  std::vector<std::string> story;
  for (const pool_event& event : events_of(target, what)) {
    story.push_back(to_string(event.kind));
    BOOST_TEST((event.machine == target));
    BOOST_TEST((event.outcome == error_code::none));
    if (event.kind >= pool_event_kind::command_received)
      BOOST_TEST(event.command_id == "request 1");
  }
  const std::vector<std::string> expected{"command_received", "connecting", "connected",
                                          "command_started", "command_finished"};
  BOOST_TEST(story == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_status_of_a_busy_machine_tells_what_runs_and_what_waits) {
  const meeting_place place;
  BOOST_TEST(run(target, "true").succeeded());
  // More than run at once, all of them held up until there is a file.
  const auto held = make_command("until test -e " + place.file("go") + "; do sleep 0.05; done");
  auto answers
    = std::async(std::launch::async, [&] { return run(target, std::vector<command>(12, held)); });
  machine_status busy;
  while (busy.running < 10 || busy.waiting < 2)
    busy = status().machines.at(0);
  BOOST_TEST((busy.machine == target));
  BOOST_TEST((busy.state == machine_state::connected));
  BOOST_TEST(busy.running == 10U);
  BOOST_TEST(busy.waiting == 2U);
  BOOST_TEST(busy.open_channels == 10U);
  BOOST_TEST(busy.channel_limit == 10U);
  BOOST_TEST(busy.succeeded == 1U);
  BOOST_TEST(bool{busy.connected_since});
  BOOST_TEST((busy.latency.p50 > caf::timespan{0}));
  std::ofstream{place.file("go")};
  for (const answer& x : answers.get())
    BOOST_TEST(x.succeeded());
  BOOST_TEST(status().machines.at(0).succeeded == 13U);
  BOOST_TEST(status().requests == 13U);
}

BOOST_AUTO_TEST_SUITE_END()
