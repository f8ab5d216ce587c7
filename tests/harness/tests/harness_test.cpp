#include "resource_limit.hpp"
#include "ssh_client.hpp"
#include "sshexec/testing/faulty_proxy.hpp"
#include "sshexec/testing/hostile_peer.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace sshexec::test;
using namespace sshexec::testing;
using namespace std::chrono_literals;

namespace {

using clock = std::chrono::steady_clock;

client through(const faulty_proxy& proxy, client x) {
  x.host = proxy.host();
  x.port = proxy.port();
  return x;
}

sockaddr_in loopback_address(std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result;
}

/// A server that does the same with all its connections, and its clients.
struct scripted {
  explicit scripted(connection_script connection) : scripted(std::move(connection), run_by_shell) {}

  explicit scripted(command_script command)
    : scripted({}, [command](const std::string&) { return command; }) {}

  scripted(connection_script connection, std::function<command_script(const std::string&)> commands)
    : server({.connections = [connection](unsigned) { return connection; },
              .commands = std::move(commands)}) {}

  [[nodiscard]] answer run(const std::string& line) const { return to(server).run(line); }

  scripted_server server;
};

} // namespace

BOOST_AUTO_TEST_SUITE(harness)

BOOST_AUTO_TEST_CASE(openssh_counts_one_authentication) {
  const openssh_server server;
  const auto answer = to(server).run("echo $USER; exit 7");
  BOOST_TEST(answer.status == 7);
  BOOST_TEST(answer.out == server.user() + '\n');
  BOOST_TEST(server.authentications() == 1U);
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(openssh_accepts_no_other_key) {
  const openssh_server server;
  const temporary_directory directory;
  client stranger = to(server);
  stranger.key = directory.path() / "key";
  sshexec::testing::make_key(stranger.key);
  BOOST_TEST(stranger.run("true").status == connection_failed);
  BOOST_TEST(server.authentications() == 0U);
}

BOOST_AUTO_TEST_CASE(openssh_listens_on_any_loopback_address) {
  const openssh_server server{{"127.0.0.7", {}, "DEBUG1"}};
  BOOST_TEST(to(server).run("echo $SSH_CONNECTION").out.find("127.0.0.7") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(openssh_comes_back_on_the_same_port_with_a_new_host_key_if_wanted) {
  openssh_server server;
  const auto fingerprint = server.host_key_fingerprint();
  server.stop();
  BOOST_TEST(to(server).run("true").status == connection_failed);
  server.restart();
  BOOST_TEST(server.host_key_fingerprint() == fingerprint);
  BOOST_TEST(to(server).run("true").status == 0);
  server.stop();
  server.regenerate_host_key();
  server.restart();
  BOOST_TEST(server.host_key_fingerprint() != fingerprint);
  BOOST_TEST(to(server).run("true").status == 0);
}

BOOST_AUTO_TEST_CASE(openssh_outlives_its_killed_sessions) {
  openssh_server server;
  talk running{to(server).call("echo $$; sleep 1000")};
  const pid_t process = std::stoi(running.read_line());
  BOOST_TEST(is_running(process));
  server.kill_sessions();
  BOOST_TEST(!is_running(process));
  BOOST_TEST(running.end() == connection_failed);
  BOOST_TEST(to(server).run("true").status == 0);
}

BOOST_AUTO_TEST_CASE(a_suspended_openssh_is_silent_until_it_is_resumed) {
  openssh_server server;
  server.suspend();
  auto running = to(server).start("true");
  BOOST_TEST((running.wait_for(300ms) == std::future_status::timeout));
  server.resume();
  BOOST_TEST(running.get().status == 0);
}

BOOST_AUTO_TEST_CASE(a_suspended_openssh_can_be_stopped) {
  openssh_server server;
  server.suspend();
  server.stop();
  BOOST_TEST(to(server).run("true").status == connection_failed);
}

BOOST_AUTO_TEST_CASE(the_scripted_server_runs_a_shell_command) {
  const scripted_server server;
  const auto answer = to(server).run("echo out; echo err >&2; exit 3");
  BOOST_TEST(answer.status == 3);
  BOOST_TEST(answer.out == "out\n");
  BOOST_TEST(contains(answer.err, "err\n"));
  const auto seen = server.record();
  BOOST_TEST(count(seen, event::authentication_accepted, "publickey") == 1U);
  BOOST_TEST(count(seen, event::exec_requested, "echo out; echo err >&2; exit 3") == 1U);
}

BOOST_AUTO_TEST_CASE(it_hands_on_input_and_output_unchanged) {
  const scripted_server server;
  std::string bytes(3'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * i >> 8U);
  const auto answer = to(server).run("tee /dev/stderr", bytes);
  BOOST_TEST((answer.out == bytes));
  BOOST_TEST((answer.err.substr(answer.err.size() - bytes.size()) == bytes));
}

BOOST_AUTO_TEST_CASE(a_command_that_does_not_read_its_input_ends_all_the_same) {
  const scripted_server server;
  BOOST_TEST(to(server).run("exit 4", std::string(3'000'000, 'x')).status == 4);
}

BOOST_AUTO_TEST_CASE(a_shell_command_is_the_leader_of_its_session_with_default_signals) {
  const scripted_server server;
  // The shell becomes this program, so that nothing is seen of what a shell does to its signals.
  const auto answer
    = to(server).run("echo $$; exec grep -hE \"^(NSsid|NSpgid|SigBlk|SigIgn)\" /proc/self/status");
  const auto process = answer.out.substr(0, answer.out.find('\n'));
  BOOST_TEST(contains(answer.out, "NSpgid:\t" + process + "\nNSsid:\t" + process + '\n'));
  BOOST_TEST(contains(answer.out, "SigBlk:\t0000000000000000\n"));
  // The C library keeps the signals 32 and 33 for itself; some leave them ignored.
  BOOST_TEST((contains(answer.out, "SigIgn:\t0000000180000000\n")
              || contains(answer.out, "SigIgn:\t0000000000000000\n")));
}

BOOST_AUTO_TEST_CASE(it_reports_an_exit_signal) {
  const scripted_server server;
  client verbose = to(server);
  verbose.options = "-v";
  const auto answer = verbose.run("kill -KILL $$");
  BOOST_TEST(answer.status == connection_failed);
  BOOST_TEST(contains(answer.err, "rtype exit-signal"));
  BOOST_TEST(!contains(answer.err, "rtype exit-status"));
}

BOOST_AUTO_TEST_CASE(it_refuses_a_channel_beyond_the_limit) {
  const scripted none{connection_script{.max_channels = 0}};
  const auto answer = none.run("true");
  BOOST_TEST(answer.status == connection_failed);
  BOOST_TEST(contains(answer.err, "open failed: administratively prohibited"));
  BOOST_TEST(count(none.server.record(), event::channel_refused) == 1U);
  const scripted one{connection_script{.max_channels = 1}};
  BOOST_TEST(one.run("true").status == 0);
}

BOOST_AUTO_TEST_CASE(it_refuses_every_key_if_told_to) {
  const scripted x{connection_script{.keys = accepted_keys::none}};
  BOOST_TEST(x.run("true").status == connection_failed);
  BOOST_TEST(count(x.server.record(), event::authentication_refused, "publickey") == 1U);
}

BOOST_AUTO_TEST_CASE(it_accepts_a_key_only_after_so_many_others) {
  const temporary_directory files;
  const std::string other = files.path() / "other_key";
  make_key(other);
  const scripted x{connection_script{.accept_after = 1}};
  client with_two_keys = to(x.server);
  BOOST_TEST(with_two_keys.run("true").status == connection_failed);
  with_two_keys.key = other;
  with_two_keys.options = "-i " + x.server.client_key_file();
  BOOST_TEST(with_two_keys.run("true").status == 0);
  const auto record = x.server.record();
  BOOST_TEST(count(record, event::authentication_refused, "publickey") == 2U);
  BOOST_TEST(count(record, event::authentication_accepted) == 1U);
}

BOOST_AUTO_TEST_CASE(it_offers_only_the_methods_it_is_told) {
  const scripted x{connection_script{.methods = {"password", "keyboard-interactive"}}};
  const auto answer = x.run("true");
  BOOST_TEST(contains(answer.err, "Permission denied (keyboard-interactive,password)"));
}

BOOST_AUTO_TEST_CASE(it_presents_another_host_key_to_another_connection) {
  const scripted_server server{
    {.connections = [](unsigned number) { return connection_script{.host_key = number - 1}; }}};
  client verbose = to(server);
  verbose.options = "-v";
  BOOST_TEST(contains(verbose.run("true").err, server.host_key_fingerprint()));
  BOOST_TEST(contains(verbose.run("true").err, server.host_key_fingerprint(1)));
  BOOST_TEST(server.host_key_fingerprint() != server.host_key_fingerprint(1));
}

BOOST_AUTO_TEST_CASE(it_breaks_a_connection_in_any_phase_in_any_way) {
  for (const auto at : {phase::accepted, phase::banner, phase::key_exchange, phase::authentication,
                        phase::established, phase::channel_open, phase::exec_request}) {
    for (const auto how : {breakage::hang_up, breakage::reset, breakage::disconnect}) {
      const scripted x{connection_script{.breaks = fault{at, how, "not today"}}};
      client verbose = to(x.server);
      verbose.options = "-v";
      const auto answer = verbose.run("true");
      BOOST_TEST_CONTEXT("phase " << static_cast<int>(at) << " breakage " << static_cast<int>(how)
                                  << ": " << answer.err) {
        BOOST_TEST(answer.status == connection_failed);
        BOOST_TEST(contains(answer.err, "not today") == (how == breakage::disconnect));
        BOOST_TEST(x.server.wait_for(event::disconnected));
        BOOST_TEST(count(x.server.record(), event::authentication_accepted)
                   == (at >= phase::established ? 1U : 0U));
        BOOST_TEST(count(x.server.record(), event::exec_requested)
                   == (at == phase::exec_request ? 1U : 0U));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_silent_connection_lasts_until_the_test_breaks_it) {
  for (const auto at : {phase::accepted, phase::banner, phase::key_exchange, phase::authentication,
                        phase::established, phase::channel_open, phase::exec_request}) {
    scripted x{connection_script{.breaks = fault{at, breakage::silence}}};
    auto running = to(x.server).start("true");
    BOOST_TEST(x.server.wait_for(event::connection_accepted));
    BOOST_TEST((running.wait_for(150ms) == std::future_status::timeout));
    x.server.break_connections(breakage::reset);
    BOOST_TEST(running.get().status == connection_failed);
  }
}

BOOST_AUTO_TEST_CASE(it_sends_garbage_instead_of_a_greeting) {
  const scripted x{connection_script{.breaks = fault{phase::banner, breakage::hang_up},
                                     .greeting = std::string("SSH-9.9-not really\r\n")}};
  const auto answer = x.run("true");
  BOOST_TEST(answer.status == connection_failed);
  BOOST_TEST(contains(answer.err, "Protocol major versions differ"));
}

BOOST_AUTO_TEST_CASE(a_script_can_serve_only_later_connections) {
  const scripted_server server{{.connections = [](unsigned number) {
    connection_script result;
    if (number < 3)
      result.breaks = fault{phase::accepted, breakage::hang_up};
    return result;
  }}};
  BOOST_TEST(to(server).run("true").status == connection_failed);
  BOOST_TEST(to(server).run("true").status == connection_failed);
  BOOST_TEST(to(server).run("true").status == 0);
}

BOOST_AUTO_TEST_CASE(a_command_waits_for_its_gate) {
  scripted x{command_script{.steps = {step::out{"before "}, step::wait_for{"go"},
                                      step::out{"after"}, step::exit_status{2}, step::close{}}}};
  auto running = to(x.server).start("anything");
  BOOST_TEST(x.server.wait_for(event::exec_requested));
  x.server.release("another gate");
  BOOST_TEST((running.wait_for(100ms) == std::future_status::timeout));
  x.server.release("go");
  const auto answer = running.get();
  BOOST_TEST(answer.out == "before after");
  BOOST_TEST(answer.status == 2);
}

BOOST_AUTO_TEST_CASE(a_command_is_refused) {
  const scripted x{command_script{.granted = false}};
  BOOST_TEST(contains(x.run("true").err, "exec request failed"));
}

BOOST_AUTO_TEST_CASE(output_arrives_before_the_connection_breaks) {
  const std::string text(100'000, 'x');
  const scripted x{
    command_script{.steps = {step::out{text}, step::break_connection{breakage::hang_up}}}};
  const auto answer = x.run("true");
  BOOST_TEST((answer.out == text));
  BOOST_TEST(answer.status == connection_failed);
}

BOOST_AUTO_TEST_CASE(a_flood_ends_with_its_reader) {
  const scripted x{command_script{.steps = {step::flood{}}}};
  const temporary_directory directory;
  const std::string pid = directory.path() / "pid";
  const std::string flooded
    = "sh -c 'echo $$ >" + pid + "; exec \"$@\"' sh " + to(x.server).call("true");
  run("{ " + flooded + "; } | { head -c 10000000; kill $(cat " + pid + "); }");
  BOOST_TEST(x.server.wait_for(event::disconnected));
}

BOOST_AUTO_TEST_CASE(it_exchanges_keys_in_the_middle_of_output_and_of_input) {
  const scripted x{connection_script{.rekey_after = 100'000}};
  client verbose = to(x.server);
  verbose.options = "-v";
  const std::string data(1'000'000, 'x');
  const auto answer = verbose.run("cat", data);
  BOOST_TEST(answer.status == 0);
  BOOST_TEST((answer.out == data));
  const std::string sign = "SSH2_MSG_NEWKEYS received";
  BOOST_TEST(contains(answer.err, sign));
  BOOST_TEST(answer.err.find(sign) != answer.err.rfind(sign));
}

BOOST_AUTO_TEST_CASE(a_pause_passes) {
  const scripted x{
    command_script{.steps = {step::pause{100ms}, step::exit_status{0}, step::close{}}}};
  const auto start = clock::now();
  BOOST_TEST(x.run("true").status == 0);
  BOOST_TEST((clock::now() - start >= 100ms));
}

BOOST_AUTO_TEST_CASE(everything_ends_with_the_server) {
  auto server = std::make_unique<scripted_server>();
  talk running{to(*server).call("sleep 1000 & echo $!; echo $$; wait")};
  const pid_t child = std::stoi(running.read_line());
  const pid_t shell = std::stoi(running.read_line());
  BOOST_TEST(is_running(child));
  server.reset();
  BOOST_TEST(!is_running(child));
  BOOST_TEST(!is_running(shell));
  BOOST_TEST(running.end() == connection_failed);
}

BOOST_AUTO_TEST_CASE(the_hostile_peer_does_what_the_command_says) {
  const hostile_peer peer;
  const client any{peer.host(), peer.port(), "anyone", peer.client_key_file()};
  BOOST_TEST(any.run("say hello").out == "hello");
  BOOST_TEST(any.run("exit-status-before-output").status == 3);
  const auto left = any.run("slowly disconnect 11");
  BOOST_TEST(left.status == connection_failed);
  BOOST_TEST(left.out == "partial");
  BOOST_TEST(contains(left.err, "bye"));
  BOOST_TEST(contains(any.run("nonsense").err, "exec request failed"));
}

BOOST_AUTO_TEST_CASE(the_hostile_peer_accepts_no_other_key) {
  const hostile_peer peer;
  const temporary_directory files;
  const std::string other = files.path() / "other_key";
  make_key(other);
  BOOST_TEST(client({peer.host(), peer.port(), "anyone", other}).run("say hello").status
             == connection_failed);
}

BOOST_AUTO_TEST_CASE(the_hostile_peer_ends_with_its_object) {
  std::optional<hostile_peer> peer{std::in_place};
  const client any{peer->host(), peer->port(), "anyone", peer->client_key_file()};
  peer.reset();
  BOOST_TEST(contains(any.run("say hello").err, "Connection refused"));
}

BOOST_AUTO_TEST_CASE(the_proxy_forwards_and_counts) {
  const scripted_server server;
  const faulty_proxy proxy{server.host(), server.port()};
  BOOST_TEST(through(proxy, to(server)).run("head -c 100000 /dev/zero").out.size() == 100'000U);
  BOOST_TEST(proxy.connections() == 1U);
  BOOST_TEST(proxy.bytes(direction::to_client) > 100'000U);
  BOOST_TEST(proxy.bytes(direction::to_server) > 1'000U);
}

BOOST_AUTO_TEST_CASE(the_proxy_cuts_after_n_bytes) {
  const scripted_server server;
  for (const auto where : {direction::to_client, direction::to_server}) {
    for (const auto how : {ending::hang_up, ending::reset}) {
      const faulty_proxy proxy{
        server.host(), server.port(), {.break_at = network::cut{where, 1000, how}}};
      BOOST_TEST(through(proxy, to(server)).run("true").status == connection_failed);
      BOOST_TEST(proxy.bytes(where) == 1000U);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_proxy_delays_each_direction) {
  const scripted_server server;
  const faulty_proxy proxy{server.host(), server.port(), {.latency = 20ms}};
  const auto start = clock::now();
  BOOST_TEST(through(proxy, to(server)).run("true").status == 0);
  // Identification, key exchange, service, authentication, channel and command need one round trip
  // each, at the least.
  BOOST_TEST((clock::now() - start >= 6 * 2 * 20ms));
}

BOOST_AUTO_TEST_CASE(the_proxy_limits_the_bandwidth) {
  const scripted_server server;
  const faulty_proxy proxy{server.host(), server.port(), {.bytes_per_second = 200'000}};
  const auto start = clock::now();
  BOOST_TEST(through(proxy, to(server)).run("head -c 100000 /dev/zero").out.size() == 100'000U);
  const auto time = clock::now() - start;
  BOOST_TEST((time >= 500ms));
  // A machine may be slow, but not so slow.
  BOOST_TEST((time < 20s));
}

BOOST_AUTO_TEST_CASE(a_black_hole_answers_nothing) {
  const scripted_server server;
  faulty_proxy proxy{server.host(), server.port(), {.behaviour = network::mode::black_hole}};
  auto running = through(proxy, to(server)).start("true");
  BOOST_TEST(proxy.wait_for_connections(1));
  BOOST_TEST((running.wait_for(200ms) == std::future_status::timeout));
  proxy.break_connections(ending::reset);
  BOOST_TEST(running.get().status == connection_failed);
  BOOST_TEST(server.record().empty());
}

BOOST_AUTO_TEST_CASE(a_half_open_connection_goes_on_when_the_network_is_back) {
  scripted x{command_script{
    .steps = {step::wait_for{"go"}, step::out{"done"}, step::exit_status{0}, step::close{}}}};
  faulty_proxy proxy{x.server.host(), x.server.port()};
  auto running = through(proxy, to(x.server)).start("true");
  BOOST_TEST(x.server.wait_for(event::exec_requested));
  proxy.change({.behaviour = network::mode::half_open});
  x.server.release("go");
  BOOST_TEST((running.wait_for(200ms) == std::future_status::timeout));
  proxy.change({});
  BOOST_TEST(running.get().out == "done");
}

BOOST_AUTO_TEST_CASE(a_refused_port_opens_again) {
  const scripted_server server;
  faulty_proxy proxy{server.host(), server.port(), {.behaviour = network::mode::refuse}};
  BOOST_TEST(contains(through(proxy, to(server)).run("true").err, "Connection refused"));
  proxy.change({});
  BOOST_TEST(through(proxy, to(server)).run("true").status == 0);
}

/// As every other thread of the process may do that starts a program.
BOOST_AUTO_TEST_CASE(a_refused_port_opens_again_while_a_child_shares_the_sockets) {
  const openssh_server server;
  faulty_proxy proxy{server.host(), server.port()};
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    // Should the test end before it ends the child.
    ::alarm(60);
    ::pause();
    ::_exit(0);
  }
  proxy.change({.behaviour = network::mode::refuse});
  BOOST_CHECK_NO_THROW(proxy.change({}));
  BOOST_TEST(through(proxy, to(server)).run("true").status == 0);
  ::kill(child, SIGKILL);
  BOOST_TEST(::waitpid(child, nullptr, 0) == child);
}

BOOST_AUTO_TEST_CASE(a_server_without_descriptors_hangs_up_and_serves_the_next_client) {
  const scripted_server server{{.commands = run_by_shell}};
  const file_descriptor early{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int next = file_descriptor{::dup(early.get())}.get();
  {
    // One is left for the accepted connection, and none for what wakes its thread.
    const resource_limit limit{RLIMIT_NOFILE, static_cast<rlim_t>(next) + 1};
    const sockaddr_in address = loopback_address(server.port());
    BOOST_REQUIRE(
      ::connect(early.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    BOOST_REQUIRE(server.wait_for(event::disconnected));
  }
  BOOST_TEST(to(server).run("echo fine").out == "fine\n");
}

BOOST_AUTO_TEST_CASE(a_port_that_is_closed_stays_the_proxys) {
  const scripted_server server;
  const faulty_proxy proxy{server.host(), server.port(), {.behaviour = network::mode::refuse}};
  const file_descriptor other{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const sockaddr_in address = loopback_address(proxy.port());
  BOOST_TEST(::bind(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address))
             != 0);
}

BOOST_AUTO_TEST_CASE(a_proxy_without_a_server_ends_its_connections) {
  const scripted_server server;
  const faulty_proxy proxy{"127.0.0.1", free_port("127.0.0.1")};
  BOOST_TEST(through(proxy, to(server)).run("true").status == connection_failed);
}

BOOST_AUTO_TEST_SUITE_END()
