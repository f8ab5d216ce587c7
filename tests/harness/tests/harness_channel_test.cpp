#include "files.hpp"
#include "sshexec/ssh/handles.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/unit_test.hpp>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <string>

using namespace sshexec::test;
using namespace sshexec::testing;
using namespace std::chrono_literals;

namespace {

/// A connection of libssh's client, which waits for whatever it does.
class session {
public:
  explicit session(const scripted_server& server) : session_(ssh_new()) {
    const unsigned port = server.port();
    const bool process_config = false;
    const long seconds = 60;
    ssh_options_set(get(), SSH_OPTIONS_PROCESS_CONFIG, &process_config);
    ssh_options_set(get(), SSH_OPTIONS_HOST, server.host().c_str());
    ssh_options_set(get(), SSH_OPTIONS_PORT, &port);
    ssh_options_set(get(), SSH_OPTIONS_USER, "anyone");
    ssh_options_set(get(), SSH_OPTIONS_TIMEOUT, &seconds);
    ssh_key key = nullptr;
    BOOST_REQUIRE(
      ssh_pki_import_privkey_file(server.client_key_file().c_str(), nullptr, nullptr, nullptr, &key)
      == SSH_OK);
    BOOST_REQUIRE(ssh_connect(get()) == SSH_OK);
    BOOST_REQUIRE(ssh_userauth_publickey(get(), nullptr, key) == SSH_AUTH_SUCCESS);
    ssh_key_free(key);
    ssh_event_add_session(event_.get(), get());
  }

  /// Takes in what comes until the condition holds; false if it does not for a minute.
  template <class Condition>
  bool wait_until(Condition condition) const {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!condition() && is_connected() && std::chrono::steady_clock::now() < deadline)
      ssh_event_dopoll(event_.get(), 100);
    return condition();
  }

  [[nodiscard]] ssh_session get() const { return session_.get(); }

  [[nodiscard]] bool is_connected() const { return ssh_is_connected(get()) != 0; }

private:
  sshexec::ssh::session_handle session_;
  sshexec::ssh::event_handle event_{ssh_event_new()};
};

class channel {
public:
  explicit channel(const session& on) : session_(on), channel_(ssh_channel_new(on.get())) {
    callbacks_.userdata = this;
    callbacks_.channel_exit_status_function = [](ssh_session, ssh_channel, int status, void* self) {
      static_cast<channel*>(self)->exit_status = status;
    };
    callbacks_.channel_exit_signal_function
      = [](ssh_session, ssh_channel, const char* name, int, const char*, const char*, void* self) {
          static_cast<channel*>(self)->exit_signal = name;
        };
    callbacks_.channel_close_function
      = [](ssh_session, ssh_channel, void* self) { static_cast<channel*>(self)->closed = true; };
    ssh_callbacks_init(&callbacks_);
    ssh_set_channel_callbacks(channel_.get(), &callbacks_);
  }

  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  ~channel() { ssh_remove_channel_callbacks(channel_.get(), &callbacks_); }

  bool open() { return ssh_channel_open_session(channel_.get()) == SSH_OK; }

  bool set_variable(const char* name, const char* value) {
    return ssh_channel_request_env(channel_.get(), name, value) == SSH_OK;
  }

  bool run(const std::string& line) {
    return ssh_channel_request_exec(channel_.get(), line.c_str()) == SSH_OK;
  }

  void start(const std::string& line) { BOOST_REQUIRE((open() && run(line))); }

  void signal(const char* name) { ssh_channel_request_send_signal(channel_.get(), name); }

  void end_input() { ssh_channel_send_eof(channel_.get()); }

  void close() { ssh_channel_close(channel_.get()); }

  /// Some bytes of stdout.
  std::string read() {
    std::array<char, 4096> buffer{};
    const int size = ssh_channel_read(channel_.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<std::size_t>(std::max(size, 0))};
  }

  /// stdout up to its end.
  std::string read_all() {
    std::string result;
    for (std::string part = read(); !part.empty(); part = read())
      result += part;
    return result;
  }

  /// Waits until the server has closed the channel.
  bool wait_for_close() {
    return session_.wait_until([this] { return closed; });
  }

  bool closed = false;
  int exit_status = -1;
  std::string exit_signal;

private:
  const session& session_;
  sshexec::ssh::channel_handle channel_;
  ssh_channel_callbacks_struct callbacks_{};
};

bool ends(pid_t process) {
  const auto end = end_of(process);
  pollfd wanted{end.get(), POLLIN, 0};
  return !end || ::poll(&wanted, 1, 60'000) == 1;
}

/// A server that plays one script for every command.
scripted_server::options playing(const command_script& script) {
  return {.commands = [script](const std::string&) { return script; }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(harness_channels)

BOOST_AUTO_TEST_CASE(several_commands_share_a_connection) {
  const scripted_server server;
  const session on{server};
  std::list<channel> channels;
  for (int i = 0; i < 20; ++i)
    channels.emplace_back(on).start("read line; echo " + std::to_string(i));
  int i = 0;
  for (channel& x : channels)
    x.end_input();
  for (channel& x : channels)
    BOOST_TEST(x.read_all() == std::to_string(i++) + '\n');
  BOOST_TEST(count(server.record(), event::connection_accepted) == 1U);
}

BOOST_AUTO_TEST_CASE(a_signal_reaches_the_whole_process_group) {
  const scripted_server server;
  const session on{server};
  channel x{on};
  x.start("sleep 1000 & echo $!; wait");
  const pid_t child = std::stoi(x.read());
  BOOST_TEST(is_running(child));
  x.signal("TERM");
  BOOST_TEST(x.read_all().empty());
  BOOST_TEST(x.wait_for_close());
  BOOST_TEST(x.exit_signal == "TERM");
  BOOST_TEST(x.exit_status == -1);
  BOOST_TEST(ends(child));
  BOOST_TEST(count(server.record(), event::signal_received, "TERM") == 1U);
}

BOOST_AUTO_TEST_CASE(a_process_that_ignores_term_dies_of_kill) {
  const scripted_server server;
  const session on{server};
  channel x{on};
  x.start("trap \"echo no\" TERM; echo ready; while :; do sleep 0.02; done");
  BOOST_TEST(x.read() == "ready\n");
  x.signal("TERM");
  BOOST_TEST(x.read() == "no\n");
  x.signal("KILL");
  BOOST_TEST(x.wait_for_close());
  BOOST_TEST(x.exit_signal == "KILL");
}

BOOST_AUTO_TEST_CASE(a_script_ends_on_a_signal_unless_it_ignores_signals) {
  for (const auto reaction : {signal_reaction::obey, signal_reaction::ignore}) {
    scripted_server server{
      playing({.steps = {step::wait_for{"go"}, step::exit_status{5}, step::close{}},
               .on_signal = reaction})};
    const session on{server};
    channel x{on};
    x.start("anything");
    x.signal("INT");
    BOOST_TEST(server.wait_for(event::signal_received));
    server.release("go");
    BOOST_TEST(x.wait_for_close());
    BOOST_TEST(x.exit_signal == (reaction == signal_reaction::obey ? "INT" : ""));
    BOOST_TEST(x.exit_status == (reaction == signal_reaction::obey ? -1 : 5));
  }
}

BOOST_AUTO_TEST_CASE(a_refused_channel_leaves_the_others_and_its_place_comes_free_with_a_close) {
  scripted_server server{
    {.connections = [](unsigned) { return connection_script{.max_channels = 2}; },
     .commands =
       [](const std::string& line) {
         return command_script{.steps
                               = {step::wait_for{line}, step::exit_status{0}, step::close{}}};
       }}};
  const session on{server};
  channel first{on};
  channel second{on};
  channel refused{on};
  channel third{on};
  first.start("first");
  second.start("second");
  BOOST_TEST(!refused.open());
  BOOST_TEST(contains(ssh_get_error(on.get()), "error (1)"));
  server.release("first");
  BOOST_TEST(first.wait_for_close());
  first.close();
  BOOST_TEST(server.wait_for(event::channel_closed));
  BOOST_TEST(third.open());
  BOOST_TEST(count(server.record(), event::channel_refused) == 1U);
}

BOOST_AUTO_TEST_CASE(an_unread_flood_holds_up_no_other_channel) {
  for (const auto& line : {"flood", "cat /dev/zero"}) {
    const scripted_server server{{.commands = [](const std::string& what) {
      return what == "flood" ? command_script{.steps = {step::flood{}}} : run_by_shell(what);
    }}};
    const session on{server};
    channel flooded{on};
    channel other{on};
    flooded.start(line);
    flooded.read();
    other.start("echo fine");
    BOOST_TEST(other.read_all() == "fine\n");
    BOOST_TEST(other.wait_for_close());
    BOOST_TEST(other.exit_status == 0);
  }
}

BOOST_AUTO_TEST_CASE(two_floods_share_the_connection) {
  const scripted_server server{playing({.steps = {step::flood{}}})};
  const session on{server};
  channel one{on};
  channel other{on};
  one.start("flood");
  other.start("flood");
  std::size_t bytes = 0;
  while (bytes < 1'000'000)
    bytes += std::min(one.read().size(), other.read().size());
  BOOST_TEST(bytes >= 1'000'000U);
}

BOOST_AUTO_TEST_CASE(an_exit_status_comes_while_a_child_holds_the_output) {
  const scripted_server server;
  const session on{server};
  channel x{on};
  x.start("exec 3<&0; (read line <&3; echo late) & exit 3");
  BOOST_TEST(on.wait_until([&] { return x.exit_status == 3; }));
  BOOST_TEST(!x.closed);
  x.end_input();
  BOOST_TEST(x.read_all() == "late\n");
  BOOST_TEST(x.wait_for_close());
}

BOOST_AUTO_TEST_CASE(a_channel_without_a_close_stays_open) {
  const scripted_server server{playing({.steps = {step::exit_status{0}, step::eof{}}})};
  const session on{server};
  channel x{on};
  x.start("anything");
  BOOST_TEST(x.read_all().empty());
  BOOST_TEST(x.exit_status == 0);
  channel probe{on};
  BOOST_TEST(probe.open());
  BOOST_TEST(!x.closed);
  x.close();
  BOOST_TEST(server.wait_for(event::channel_closed));
}

BOOST_AUTO_TEST_CASE(an_answer_can_come_late) {
  const scripted_server server{playing(
    {.before_answer = {step::pause{100ms}}, .steps = {step::exit_status{0}, step::close{}}})};
  const session on{server};
  channel x{on};
  BOOST_REQUIRE(x.open());
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST(x.run("anything"));
  BOOST_TEST((std::chrono::steady_clock::now() - start >= 100ms));
}

BOOST_AUTO_TEST_CASE(variables_reach_the_command_unless_they_are_refused) {
  for (const bool accepted : {true, false}) {
    const scripted_server server{{.connections = [=](unsigned) {
      return connection_script{.accepts_environment = accepted};
    }}};
    const session on{server};
    channel x{on};
    BOOST_REQUIRE(x.open());
    BOOST_TEST(x.set_variable("GREETING", "hello") == accepted);
    BOOST_TEST(x.run("echo \"<$GREETING>\""));
    BOOST_TEST(x.read_all() == (accepted ? "<hello>\n" : "<>\n"));
  }
}

BOOST_AUTO_TEST_CASE(a_closed_channel_takes_its_process_with_it) {
  const scripted_server server;
  const session on{server};
  channel x{on};
  x.start("echo $$; sleep 1000");
  const pid_t process = std::stoi(x.read());
  x.close();
  BOOST_TEST(server.wait_for(event::channel_closed));
  BOOST_TEST(!is_running(process));
  BOOST_TEST(on.is_connected());
}

BOOST_AUTO_TEST_SUITE_END()
