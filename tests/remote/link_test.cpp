#include "caller.hpp"
#include "nodes.hpp"
#include "sshexec/actors/remote/link/hub_link.hpp"
#include "sshexec/testing/faulty_proxy.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

#ifdef __SANITIZE_THREAD__
// A message that passes through CAF costs it tens of milliseconds.
constexpr int flood = 400;
#else
constexpr int flood = 4'000;
#endif

std::string journal_of(const stage& x) {
  std::ifstream file{x.directory.path() / "journal"};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Waits until so many commands were begun on the machine.
bool begun(const stage& x, std::size_t times) {
  return x.server.wait_for(testing::event::exec_requested, times, 60s);
}

/// Notes the ends of commands; on a thread of its own, as one that may block is.
class ends_of_commands {
public:
  explicit ends_of_commands(client_node& client) : client_(client) {
    observer = client.system.spawn<caf::detached>([this]() -> observer_actor::behavior_type {
      return {[this](const pool_event& event) {
        if (event.kind != pool_event_kind::command_finished)
          return;
        const std::lock_guard guard{mutex_};
        lines_.push_back(event.command_line);
        changed_.notify_all();
      }};
    });
    caf::anon_send(client.executor, subscribe_atom_v, observer);
  }

  ends_of_commands(const ends_of_commands&) = delete;
  ends_of_commands& operator=(const ends_of_commands&) = delete;

  ~ends_of_commands() {
    const caf::scoped_actor self{client_.system};
    self->send_exit(observer, caf::exit_reason::user_shutdown);
    self->wait_for(observer);
  }

  bool wait_for(const std::string& line) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, 60s, [&] { return noted(line); });
  }

  bool saw(const std::string& line) {
    const std::lock_guard guard{mutex_};
    return noted(line);
  }

  observer_actor observer;

private:
  [[nodiscard]] bool noted(const std::string& line) const {
    return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
  }

  client_node& client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// The end of one command, as its hub tells it.
class end_of_command {
public:
  explicit end_of_command(hub_node& hub) {
    const auto observer
      = hub.system.spawn([this](observer_actor::pointer self) -> observer_actor::behavior_type {
          return {[this, self](const pool_event& event) {
            if (event.kind != pool_event_kind::command_finished)
              return;
            told_.set_value();
            self->quit();
          }};
        });
    caf::anon_send(hub.executor, subscribe_atom_v, observer);
  }

  bool wait() { return told_.get_future().wait_for(60s) == std::future_status::ready; }

private:
  std::promise<void> told_;
};

/// Whether other nodes may have heard of an actor. CAF may keep such a one until the system ends,
/// which one with a thread of its own would keep from ending.
template <class Actor>
bool is_known_elsewhere(client_node& node, const Actor& x) {
  return node.system.registry().get(x.id()) != nullptr;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_link_to_a_hub, stage)

BOOST_AUTO_TEST_CASE(runs_commands_over_tls) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  const auto first = client.run(target, "echo out; echo err >&2; exit 3");
  BOOST_REQUIRE(first.outcome);
  BOOST_TEST(first.outcome->exit_code == 3);
  BOOST_TEST(first.outcome->output.stdout_data == "out\n");
  BOOST_TEST(first.outcome->output.stderr_data == "err\n");
  const auto second = client.run(target, "true");
  BOOST_REQUIRE(second.outcome);
  BOOST_TEST(second.outcome->reused_connection);
}

BOOST_AUTO_TEST_CASE(runs_commands_in_the_clear_when_both_sides_want_that) {
  hub_node hub{directory, in_the_clear()};
  client_node client{plainly_to(hub)};
  const auto ran = client.run(target, "echo out");
  BOOST_REQUIRE(ran.outcome);
  BOOST_TEST(ran.outcome->output.stdout_data == "out\n");
}

BOOST_AUTO_TEST_CASE(passes_on_errors_unchanged_with_the_partial_output) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  command what = make_command("echo begun; sleep 100");
  what.timeout = 500ms;
  const auto ended = client.run(target, what);
  BOOST_TEST(ended.failed_with(error_code::command_timeout));
  BOOST_TEST(ended.what().output.stdout_data == "begun\n");
  BOOST_TEST(client.run(target, " ").failed_with(error_code::invalid_argument));
}

BOOST_AUTO_TEST_CASE(carries_64_megabytes) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  constexpr std::size_t size = std::size_t{64} << 20;
  command what = make_command("head -c " + std::to_string(size) + " /dev/zero");
  what.max_output = size;
  what.timeout = 5min;
  const auto ran = client.run(target, what);
  BOOST_REQUIRE(ran.outcome);
  BOOST_TEST(ran.outcome->output.stdout_data.size() == size);
  BOOST_TEST(!ran.outcome->output.truncated());
}

BOOST_AUTO_TEST_CASE(cancels_the_commands_of_the_sender_alone) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  caller one{client, target, make_command("sleep 1000", "same id")};
  caller other{client, target, make_command("sleep 1000", "same id")};
  BOOST_REQUIRE(begun(*this, 2));
  one.cancel();
  BOOST_TEST(one.wait().failed_with(error_code::cancelled));
  other.cancel();
  BOOST_TEST(other.wait().failed_with(error_code::cancelled));
}

BOOST_AUTO_TEST_CASE(cancels_by_an_id_what_came_from_its_own_process) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  client_node other{to(hub)};
  caller mine{client, target, make_command("sleep 100", "batch")};
  caller also_mine{client, target, make_command("sleep 100", "batch")};
  caller not_mine{other, target, make_command("sleep 100", "batch")};
  BOOST_REQUIRE(begun(*this, 3));
  BOOST_TEST(cancel(client.system, client.executor, "other") == 0U);
  BOOST_TEST(cancel(client.system, client.executor, "batch") == 2U);
  BOOST_TEST(mine.wait().failed_with(error_code::cancelled));
  BOOST_TEST(also_mine.wait().failed_with(error_code::cancelled));
  // The hub's own process may end it.
  BOOST_TEST(cancel(hub.system, hub.executor, "batch") == 1U);
  BOOST_TEST(not_mine.wait().failed_with(error_code::cancelled));
}

BOOST_AUTO_TEST_CASE(lets_no_client_cancel_by_an_id_past_its_link) {
  hub_node hub{directory, secured()};
  std::promise<executor_actor> reached;
  connect_settings wanted = to(hub);
  wanted.on_connected = [&](const executor_actor& x) { reached.set_value(x); };
  client_node client{wanted};
  caller running{client, target, make_command("sleep 100", "mine")};
  BOOST_REQUIRE(begun(*this, 1));
  // Another actor than the one that asked for it.
  const executor_actor hubs_own = reached.get_future().get();
  caf::anon_send(hubs_own, cancel_atom_v, std::string{"mine"});
  BOOST_TEST(cancel(client.system, hubs_own, "mine") == 0U);
  BOOST_TEST(cancel(hub.system, hub.executor, "mine") == 1U);
  BOOST_TEST(running.wait().failed_with(error_code::cancelled));
}

BOOST_AUTO_TEST_CASE(tells_the_hub_of_the_end_of_a_caller) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  {
    const caller gone{client, target, make_command("sleep 1000")};
    BOOST_REQUIRE(begun(*this, 1));
  }
  BOOST_TEST(server.wait_for(testing::event::channel_closed, 1, 60s));
  hub.shut_down();
  BOOST_TEST(journal_of(*this).find("outcome=cancelled") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(cancels_its_commands_when_it_is_ended) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  caller waiting{client, target, make_command("sleep 1000")};
  BOOST_REQUIRE(begun(*this, 1));
  client.shut_down();
  BOOST_TEST(waiting.wait().failed_with(error_code::shutting_down));
  BOOST_TEST(server.wait_for(testing::event::channel_closed, 1, 60s));
}

BOOST_AUTO_TEST_CASE(answers_what_waits_for_the_first_attempt_when_it_is_ended) {
  // Accepts connections in the kernel, and never says a word.
  hub_node hub{directory, in_the_clear()};
  const auto silent = testing::listen_on("127.0.0.1");
  connect_settings config = to(hub);
  config.hub.port = testing::port_of(silent);
  client_node client{config};
  caller waiting{client, target, make_command("true")};
  client.shut_down();
  BOOST_TEST(waiting.wait().failed_with(error_code::shutting_down));
}

BOOST_AUTO_TEST_CASE(answers_at_a_deadline_that_passes_before_there_is_a_connection) {
  const auto silent = testing::listen_on("127.0.0.1");
  connect_settings config;
  config.hub.port = testing::port_of(silent);
  config.plain = true;
  config.connect_timeout = 2min;
  client_node client{config};
  command what = make_command("true");
  what.deadline = 100ms;
  const auto ended = client.run(target, what);
  BOOST_TEST(ended.failed_with(error_code::command_timeout));
  BOOST_TEST((ended.what().progress == progress::not_started));
  caller waiting{client, target, make_command("true", "mine")};
  waiting.cancel();
  BOOST_TEST(waiting.wait().failed_with(error_code::cancelled));
  caller cancelled_by_id{client, target, make_command("true", "mine")};
  BOOST_TEST(cancel(client.system, client.executor, "mine") == 1U);
  BOOST_TEST(cancelled_by_id.wait().failed_with(error_code::cancelled));
}

BOOST_AUTO_TEST_CASE(answers_behind_a_deadline_though_the_hub_never_does) {
  hub_node hub{directory, in_the_clear()};
  std::promise<std::string> id_of_late_one;
  std::promise<std::string> cancelled;
  const auto deaf = hub.system.spawn([&](executor_actor::pointer self) {
    self->set_default_handler(caf::drop);
    return executor_actor::behavior_type{
      [self, &id_of_late_one](execute_atom, const machine&, const command& what) {
        if (what.deadline)
          id_of_late_one.set_value(what.id);
        return self->make_response_promise<command_result>();
      },
      [&cancelled](cancel_atom, const machine&, const std::string& id) { cancelled.set_value(id); },
      [](cancel_atom, const std::string&) { return std::uint64_t{0}; },
      [](input_atom, const machine&, const std::string&, const std::string&, bool) {},
      [](subscribe_atom, const observer_actor&) {},
      [](unsubscribe_atom, const observer_actor&) {},
      [](status_atom) { return executor_status{}; },
      [](changed_atom, const machine&) {},
      [](changed_atom) {},
    };
  });
  const auto port = publish_executor(hub.system, deaf, in_the_clear());
  BOOST_REQUIRE(port);
  connect_settings config = plainly_to(hub);
  config.hub.port = *port;
  client_node client{config};
  command what = make_command("true");
  what.deadline = 100ms;
  const auto ended = client.run(target, what);
  BOOST_TEST(ended.failed_with(error_code::command_timeout));
  BOOST_TEST((ended.what().progress == progress::may_have_run));
  // The empty id would mean all that its caller left unnamed.
  const std::string id = id_of_late_one.get_future().get();
  BOOST_TEST(!id.empty());
  BOOST_TEST(cancelled.get_future().get() == id);
  BOOST_TEST(ended.what().request_id == id);
  caf::anon_send_exit(deaf, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(tells_no_errors_of_CAFs_own_when_the_executor_ends_under_load) {
  hub_node hub{directory, in_the_clear()};
  client_node client{plainly_to(hub)};
  BOOST_REQUIRE(client.run(target, "true").outcome);
  caf::scoped_actor self{client.system};
  using handle
    = decltype(self->request(client.executor, caf::infinite, execute_atom_v, target, command{}));
  std::vector<handle> requests;
  for (int i = 0; i < flood; ++i) {
    if (i == flood / 4)
      caf::anon_send_exit(hub.executor, caf::exit_reason::kill);
    requests.push_back(
      self->request(client.executor, caf::infinite, execute_atom_v, target, make_command("true")));
  }
  for (handle& request : requests)
    request.receive([](const command_result&) {},
                    [&](const caf::error& reason) {
                      BOOST_TEST((reason.category() == caf::atom("sshexec")),
                                 client.system.render(reason));
                    });
}

BOOST_AUTO_TEST_CASE(speaks_in_the_clear_to_no_other_machine_whatever_the_name_means_by_then) {
  network_config system_config;
  caf::actor_system system{system_config};
  // TEST-NET-1 (RFC 5737), which `connect_executor` would refuse.
  connect_settings config;
  config.hub = {"192.0.2.1", 7022};
  config.plain = true;
  config.connect_timeout = 1min;
  const auto link = system.spawn(hub_link, config, tls_context{});
  const auto refused
    = ask(system, caf::actor_cast<executor_actor>(link), target, make_command("true"));
  BOOST_TEST(refused.failed_with(error_code::connection_error));
  BOOST_TEST(refused.what().message.find("192.0.2.1 is no loopback address") != std::string::npos);
  caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(ends_at_once_while_a_hub_keeps_it_waiting) {
  const auto silent = testing::listen_on("127.0.0.1");
  connect_settings config;
  config.hub.port = testing::port_of(silent);
  config.tls = client_files;
  config.connect_timeout = 2min;
  std::vector<ssh::file_descriptor> arrived;
  const auto before = std::chrono::steady_clock::now();
  for (const bool plain : {false, true}) {
    config.plain = plain;
    const client_node client{config};
    // It dials by now.
    ::pollfd arrival{silent.get(), POLLIN, 0};
    BOOST_TEST(::poll(&arrival, 1, 60'000) == 1);
    arrived.emplace_back(::accept(silent.get(), nullptr, nullptr));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - before < 1min));
}

BOOST_AUTO_TEST_CASE(names_a_hub_that_cannot_be_reached) {
  const auto reserved = testing::reserve_port("127.0.0.1");
  connect_settings config;
  config.hub.port = testing::port_of(reserved);
  config.plain = true;
  client_node client{config};
  for (int i = 0; i < 2; ++i) {
    const auto refused = client.run(target, "true");
    BOOST_TEST(refused.failed_with(error_code::connection_error));
    BOOST_TEST(refused.what().message.find("127.0.0.1:" + std::to_string(config.hub.port))
               != std::string::npos);
    BOOST_TEST(static_cast<int>(refused.what().fault)
               == static_cast<int>(connection_fault::refused));
    BOOST_TEST(refused.what().machine == to_address(target));
  }
}

BOOST_AUTO_TEST_CASE(says_both_versions_when_they_differ) {
  publish_settings newer = secured();
  newer.version = protocol_version + 1;
  hub_node hub{directory, newer};
  client_node client{to(hub)};
  const auto refused = client.run(target, "true");
  BOOST_TEST(refused.failed_with(error_code::connection_error));
  const std::string older = std::to_string(protocol_version);
  const std::string other = std::to_string(protocol_version + 1);
  BOOST_TEST(refused.what().message.find("version " + other
                                         + " of the protocol, this client version " + older)
             != std::string::npos);
  BOOST_TEST(hub.refused.wait_for("speaks version " + older + " of the protocol, this hub version "
                                  + other));
}

BOOST_AUTO_TEST_CASE(does_not_take_another_actor_for_an_executor) {
  hub_node hub{directory, in_the_clear()};
  const auto other = hub.system.spawn(
    [](caf::event_based_actor*) -> caf::behavior { return {[](int x) { return x; }}; });
  const auto port = hub.system.middleman().publish(other, 0, "127.0.0.1");
  BOOST_REQUIRE(port);
  connect_settings config = plainly_to(hub);
  config.hub.port = *port;
  client_node client{config};
  const auto refused = client.run(target, "true");
  BOOST_TEST(refused.failed_with(error_code::connection_error));
  BOOST_TEST(refused.what().message.find("no executor") != std::string::npos);
  caf::anon_send_exit(other, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(comes_back_when_the_hub_does) {
  auto hub = std::make_unique<hub_node>(directory, secured());
  publish_settings again = secured();
  again.address.port = hub->port;
  client_node client{to(*hub)};
  caller waiting{client, target, make_command("sleep 1000")};
  BOOST_REQUIRE(begun(*this, 1));
  hub->shut_down();
  BOOST_TEST(waiting.wait().failed_with(error_code::shutting_down));
  hub.reset();
  hub = std::make_unique<hub_node>(directory, again);
  BOOST_TEST(client.run_until_it_works(target, "true"));
}

BOOST_AUTO_TEST_CASE(brings_a_result_although_the_hub_ends_behind_it) {
  const auto check = [&](std::size_t size, std::uint64_t bytes_per_second, bool plain) {
    auto hub = std::make_unique<hub_node>(directory, plain ? in_the_clear() : secured());
    testing::network slow;
    slow.bytes_per_second = bytes_per_second;
    const testing::faulty_proxy proxy{"127.0.0.1", hub->port, slow};
    connect_settings config = to(*hub);
    config.plain = plain;
    config.hub.port = proxy.port();
    client_node client{config};
    end_of_command ended{*hub};
    command what = make_command("head -c " + std::to_string(size) + " /dev/zero");
    what.max_output = size;
    what.timeout = 5min;
    caller waiting{client, target, what};
    BOOST_REQUIRE(ended.wait());
    hub.reset();
    const auto answered = waiting.wait();
    BOOST_TEST(answered.outcome.operator bool(), size << ' ' << answered.what().message);
    BOOST_TEST((!answered.outcome || answered.outcome->output.stdout_data.size() == size));
  };
  for (const bool plain : {false, true}) {
    check(std::size_t{4} << 20, std::uint64_t{2} << 20, plain);
    check(std::size_t{64} << 20, 0, plain);
  }
}

BOOST_AUTO_TEST_CASE(brings_output_and_takes_input_as_they_come) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  caf::scoped_actor self{client.system};
  std::promise<void> greeted;
  const auto consumer
    = client.system.spawn([&greeted](output_consumer::pointer) -> output_consumer::behavior_type {
        return {[&greeted, told = false](const output_chunk&) mutable {
          if (!std::exchange(told, true))
            greeted.set_value();
        }};
      });
  command what = make_command("echo hello; cat", "talk");
  what.stdin_open = true;
  what.output_to = consumer;
  auto request = self->request(client.executor, caf::infinite, execute_atom_v, target, what);
  BOOST_REQUIRE(greeted.get_future().wait_for(60s) == std::future_status::ready);
  self->request(client.executor, caf::infinite, input_atom_v, target, "talk", "more\n", false)
    .receive([] {}, [&](caf::error& x) { BOOST_ERROR(client.system.render(x)); });
  // The command may end before this is answered.
  self->send(client.executor, input_atom_v, target, "talk", "", true);
  request.receive([](command_result& x) { BOOST_TEST(x.output.stdout_data == "hello\nmore\n"); },
                  [&](caf::error& x) { BOOST_ERROR(client.system.render(x)); });
  BOOST_TEST(!is_known_elsewhere(client, consumer));
  caf::anon_send_exit(consumer, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(tells_observers_what_a_hub_does) {
  auto hub = std::make_unique<hub_node>(directory, secured());
  publish_settings again = secured();
  again.address.port = hub->port;
  client_node client{to(*hub)};
  ends_of_commands one{client};
  ends_of_commands other{client};
  BOOST_TEST(bool{client.run(target, "echo first").outcome});
  BOOST_TEST(one.wait_for("echo first"));
  BOOST_TEST(other.wait_for("echo first"));
  BOOST_TEST(!is_known_elsewhere(client, one.observer));

  // They stay when the connection is made anew.
  hub.reset();
  hub = std::make_unique<hub_node>(directory, again);
  BOOST_TEST(client.run_until_it_works(target, "echo second"));
  BOOST_TEST(one.wait_for("echo second"));
  BOOST_TEST(other.wait_for("echo second"));

  caf::anon_send(client.executor, unsubscribe_atom_v, one.observer);
  BOOST_TEST(bool{client.run(target, "echo third").outcome});
  BOOST_TEST(other.wait_for("echo third"));
  caf::anon_send(client.executor, subscribe_atom_v, one.observer);
  BOOST_TEST(bool{client.run(target, "echo fourth").outcome});
  BOOST_TEST(one.wait_for("echo fourth"));
  BOOST_TEST(!one.saw("echo third"));
}

BOOST_AUTO_TEST_SUITE_END()
