#include "hub.hpp"
#include "meeting_place.hpp"
#include "process_resources.hpp"
#include "sshexec/testing/dropbear_server.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
using testing::event;
using testing::phase;

namespace data = boost::unit_test::data;
namespace step = testing::step;

/// An executor ends at every moment of its commands' lives.
namespace {

settings patient_settings() {
  settings result = quick_settings();
  result.connect_timeout = 10min;
  // A server that says nothing any more costs it twice.
  result.kill_grace = 5s;
  return result;
}

command lasting_command(std::string line) {
  command result = make_command(std::move(line));
  result.timeout = 10min;
  return result;
}

/// A hub with commands under way. Their supervisor has all of them when it is made.
class busy_hub {
public:
  busy_hub(const machine& target, const command& what, std::size_t count)
    : hub_(patient_settings()) {
    std::promise<void> handed_on;
    answers_ = std::async(std::launch::async, [&, count] {
      return hub_.run(target, std::vector<command>(count, what), [&] { handed_on.set_value(); });
    });
    handed_on.get_future().wait();
  }

  /// A test that gave up does not wait until its commands are done.
  ~busy_hub() {
    if (hub_.executor)
      caf::anon_send_exit(hub_.executor, caf::exit_reason::user_shutdown);
  }

  busy_hub(const busy_hub&) = delete;
  busy_hub& operator=(const busy_hub&) = delete;

  /// What all were told when the executor ended; its actors are gone then.
  std::vector<answer> end() {
    caf::anon_send_exit(hub_.executor, caf::exit_reason::user_shutdown);
    auto result = answers_.get();
    hub_.shut_down();
    BOOST_TEST(hub_.journal().size() == result.size());
    return result;
  }

private:
  hub hub_;
  std::future<std::vector<answer>> answers_;
};

/// Where a scripted server keeps its client waiting.
struct moment {
  const char* name;
  phase at;

  friend std::ostream& operator<<(std::ostream& out, const moment& x) { return out << x.name; }
};

const std::vector<moment> moments{
  {"accepted", phase::accepted},         {"banner", phase::banner},
  {"key exchange", phase::key_exchange}, {"authentication", phase::authentication},
  {"authenticated", phase::established}, {"channel open", phase::channel_open},
  {"exec request", phase::exec_request},
};

const std::vector<std::size_t> one_or_twenty{1, 20};

} // namespace

BOOST_AUTO_TEST_SUITE(shutting_down_at_any_moment)

BOOST_DATA_TEST_CASE(every_command_is_told_wherever_its_connection_is,
                     data::make(moments) * data::make(one_or_twenty), when, commands) {
  const process_resources before;
  {
    testing::scripted_server server{{.connections = [&](unsigned) {
      return testing::connection_script{.breaks
                                        = testing::fault{when.at, testing::breakage::silence}};
    }}};
    busy_hub hub{machine_of(server), lasting_command("true"), commands};
    BOOST_REQUIRE(server.wait_for(event::connection_broken));
    for (const answer& x : hub.end())
      BOOST_TEST(x.failed_with(error_code::shutting_down));
    BOOST_TEST(server.wait_for(event::disconnected));
    BOOST_TEST(count(server.record(), event::connection_accepted) == 1U);
  }
  const auto after = process_resources::back_to(before);
  BOOST_TEST(after.descriptors <= before.descriptors);
  BOOST_TEST(after.threads <= before.threads);
}

/// Ends when the executor does, whether it reads, writes or waits.
struct activity {
  const char* name;
  std::vector<testing::command_step> steps;
  std::string stdin_data = {};

  friend std::ostream& operator<<(std::ostream& out, const activity& x) { return out << x.name; }
};

#ifdef __SANITIZE_THREAD__
// Bytes that change threads within CAF take ThreadSanitizer seconds for each megabyte.
constexpr std::size_t more_than_a_window = 200'000;
#else
constexpr std::size_t more_than_a_window = 5'000'000;
#endif

const std::vector<activity> activities{
  {"silent", {step::wait_for{"never"}}},
  {"talking", {step::flood{}}},
  {"half done", {step::out{"half"}, step::wait_for{"never"}}},
  {"fed", {step::wait_for{"never"}}, std::string(more_than_a_window, 'x')},
  {"done but not closed", {step::exit_status{0}, step::wait_for{"never"}}},
};

BOOST_DATA_TEST_CASE(a_command_is_told_whatever_it_does,
                     data::make(activities) * data::make(one_or_twenty), doing, commands) {
  testing::scripted_server server{{.commands = [&](const std::string&) {
    return testing::command_script{.steps = doing.steps};
  }}};
  command what = lasting_command("anything");
  what.stdin_data = doing.stdin_data;
  busy_hub hub{machine_of(server), what, commands};
  BOOST_REQUIRE(server.wait_for(event::exec_requested));
  for (const answer& x : hub.end())
    BOOST_TEST((x.failed_with(error_code::shutting_down) || x.succeeded()));
  BOOST_TEST(server.wait_for(event::disconnected));
}

BOOST_AUTO_TEST_CASE(a_command_that_waits_for_its_next_attempt_is_told) {
  testing::scripted_server server{{.connections = [](unsigned) {
    return testing::connection_script{
      .breaks = testing::fault{phase::accepted, testing::breakage::hang_up}};
  }}};
  settings wanted = quick_settings();
  wanted.retry_delays = {1h};
  hub pool{wanted};
  auto answers
    = std::async(std::launch::async, [&] { return pool.run(machine_of(server), "true"); });
  BOOST_REQUIRE(server.wait_for(event::disconnected));
  caf::anon_send_exit(pool.executor, caf::exit_reason::user_shutdown);
  BOOST_TEST(answers.get().failed_with(error_code::shutting_down));
  pool.shut_down();
}

/// The real servers that there are, how each of them writes that a client took its leave, how many
/// commands it can run on one connection, and what is known of those that it was asked to signal.
struct kind_of_server {
  const char* name;
  const char* farewell;
  std::size_t commands;
  sshexec::termination termination;
  std::unique_ptr<testing::real_server> (*start)();

  friend std::ostream& operator<<(std::ostream& out, const kind_of_server& x) {
    return out << x.name;
  }
};

const std::vector<kind_of_server> servers{
  {"OpenSSH", "Received disconnect from", 5, termination::signalled,
   [] { return std::unique_ptr<testing::real_server>{new testing::openssh_server}; }},
  {"Dropbear", "Disconnect received", 1, termination::unknown,
   [] { return std::unique_ptr<testing::real_server>{new testing::dropbear_server}; }},
};

BOOST_DATA_TEST_CASE(an_idle_connection_is_closed_properly, data::make(servers), kind) {
  const auto server = kind.start();
  hub pool;
  BOOST_TEST(pool.run(machine_of(*server), "true").succeeded());
  pool.shut_down();
  BOOST_TEST(server->wait_for_log(kind.farewell));
}

BOOST_DATA_TEST_CASE(running_commands_are_killed_and_their_connection_closed_properly,
                     data::make(servers), kind) {
  const auto server = kind.start();
  const meeting_place place;
  const process_resources before;
  {
    busy_hub hub{machine_of(*server),
                 lasting_command("echo $$ > " + place.pipe() + "; exec sleep 1000"), kind.commands};
    std::vector<pid_t> processes;
    for (std::size_t i = 0; i < kind.commands; ++i)
      processes.push_back(std::stoi(place.read_line()));
    for (const answer& x : hub.end()) {
      BOOST_TEST(x.failed_with(error_code::shutting_down));
      BOOST_TEST((x.what().progress == progress::may_have_run));
      BOOST_TEST((x.what().termination == kind.termination));
    }
    for (const pid_t process : processes)
      BOOST_TEST(!testing::is_running(process));
  }
  BOOST_TEST(server->wait_for_log(kind.farewell));
  const auto after = process_resources::back_to(before);
  BOOST_TEST(after.descriptors <= before.descriptors);
  BOOST_TEST(after.threads <= before.threads);
}

BOOST_DATA_TEST_CASE(a_command_in_full_flood_is_killed, data::make(servers), kind) {
  const auto server = kind.start();
  const meeting_place place;
  busy_hub hub{machine_of(*server),
               lasting_command("echo $$ > " + place.pipe() + "; exec cat /dev/zero"), 1};
  const pid_t process = std::stoi(place.read_line());
  for (const answer& x : hub.end())
    BOOST_TEST(x.failed_with(error_code::shutting_down));
  BOOST_TEST(!testing::is_running(process));
  BOOST_TEST(server->wait_for_log(kind.farewell));
}

/// A hub that drops its handle and ends its actor system, as when its own main function returns.
BOOST_DATA_TEST_CASE(a_system_that_ends_lets_commands_finish_and_closes_properly,
                     data::make(servers), kind) {
  const auto server = kind.start();
  const meeting_place place;
  const process_resources before;
  std::string ended = place.file("ended");
  {
    hub_config config;
    caf::actor_system system{config};
    settings wanted = quick_settings();
    wanted.host_key_policy = host_key_policy::off;
    wanted.journal = "none";
    auto executor = *spawn_executor(system, wanted);
    command what = lasting_command("echo started > " + place.pipe() + "; sleep 1; touch " + ended);
    what.outlives_caller = true;
    caf::anon_send(executor, execute_atom_v, machine_of(*server), what);
    BOOST_REQUIRE(place.read_line() == "started");
  }
  BOOST_TEST(std::filesystem::exists(ended));
  BOOST_TEST(server->wait_for_log(kind.farewell));
  const auto after = process_resources::back_to(before);
  BOOST_TEST(after.descriptors <= before.descriptors);
  BOOST_TEST(after.threads <= before.threads);
}

BOOST_DATA_TEST_CASE(a_system_that_ends_does_not_wait_for_idle_connections, data::make(servers),
                     kind) {
  const auto server = kind.start();
  {
    hub_config config;
    caf::actor_system system{config};
    settings wanted = quick_settings();
    wanted.host_key_policy = host_key_policy::off;
    wanted.journal = "none";
    wanted.idle_timeout = 24h;
    const auto executor = *spawn_executor(system, wanted);
    caf::scoped_actor self{system};
    self
      ->request(executor, caf::infinite, execute_atom_v, machine_of(*server), make_command("true"))
      .receive([](const command_result&) {},
               [](const caf::error& error) { BOOST_ERROR(to_failure(error).message); });
  }
  BOOST_TEST(server->wait_for_log(kind.farewell));
}

BOOST_AUTO_TEST_SUITE_END()
