#include "direct_client.hpp"
#include "hub.hpp"
#include "preconditions.hpp"
#include "sshexec/testing/dropbear_server.hpp"
#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/openssh_server.hpp"

#include <boost/test/unit_test.hpp>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

jump jump_at(const testing::real_server& server) {
  return {server.host(), server.port(), server.user(), server.identity_file()};
}

/// A machine and its bastion, both OpenSSH.
struct bastion_and_machine : hub {
  explicit bastion_and_machine(settings wanted = quick_settings()) : hub(std::move(wanted)) {
    target.via = {jump_at(bastion)};
  }

  [[nodiscard]] std::string known_hosts() const {
    std::ifstream file{directory.path() / "known_hosts"};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  testing::openssh_server bastion;
  testing::openssh_server server;
  machine target = machine_of(server);
};

struct without_second_try : bastion_and_machine {
  without_second_try() : bastion_and_machine(without_retries()) {}
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

command make_command_with_input(std::string line, std::string input) {
  command result = make_command(std::move(line));
  result.stdin_data = std::move(input);
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(through_a_jump, bastion_and_machine)

BOOST_AUTO_TEST_CASE(a_command_runs_on_the_machine_behind_it) {
  const auto answer = run(target, "echo out; echo err >&2; exit 3");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->exit_code == 3);
  BOOST_TEST(answer->output.stdout_data == "out\n");
  BOOST_TEST(answer->output.stderr_data == "err\n");
  BOOST_TEST(answer->attempts == 1U);
  BOOST_TEST(bastion.authentications() == 1U);
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(both_host_keys_are_remembered_by_their_own_names) {
  BOOST_REQUIRE(run(target, "true").succeeded());
  BOOST_TEST(contains(known_hosts(), '[' + bastion.host() + "]:" + std::to_string(bastion.port())));
  BOOST_TEST(contains(known_hosts(), '[' + server.host() + "]:" + std::to_string(server.port())));
}

BOOST_AUTO_TEST_CASE(twenty_machines_share_one_connection_to_it) {
  std::vector<std::future<bool>> running;
  for (int i = 0; i < 20; ++i) {
    machine one = target;
    one.id = std::to_string(i);
    running.push_back(
      std::async(std::launch::async, [this, one] { return run(one, "true").succeeded(); }));
  }
  for (auto& x : running)
    BOOST_TEST(x.get());
  BOOST_TEST(bastion.authentications() == 1U);
  BOOST_TEST(server.authentications() == 20U);
}

BOOST_AUTO_TEST_CASE(bytes_are_bytes_in_both_directions) {
  std::string data(std::size_t{20} << 20, '\0');
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>(i * 31 + i / 4099);
  command what = make_command_with_input("cat", data);
  what.max_output = data.size();
  const auto answer = run(target, what);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST((answer->output.stdout_data == data));
}

BOOST_AUTO_TEST_CASE(there_may_be_several_on_the_way) {
  testing::openssh_server second;
  target.via.push_back(jump_at(second));
  const auto answer = run(target, "echo far");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "far\n");
  BOOST_TEST(second.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_dropbear_is_a_jump_too) {
  testing::dropbear_server dropbear;
  target.via = {jump_at(dropbear)};
  const auto answer = run(target, "echo far");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "far\n");
}

BOOST_AUTO_TEST_CASE(a_timeout_kills_what_runs_behind_it) {
  command what = make_command("echo begun; sleep 1000");
  what.timeout = 1s;
  const auto answer = run(target, what);
  BOOST_REQUIRE(answer.failed_with(error_code::command_timeout));
  BOOST_TEST((answer.what().termination == termination::signalled));
  BOOST_TEST(answer.what().output.stdout_data == "begun\n");
}

BOOST_AUTO_TEST_CASE(what_was_lost_with_the_jump_runs_again_through_a_new_connection_to_it) {
  BOOST_REQUIRE(run(target, "true").succeeded());
  bastion.kill_sessions();
  const auto answer = run(target, "echo again");
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == "again\n");
  BOOST_TEST(bastion.authentications() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(through_a_jump_that_fails, without_second_try)

BOOST_AUTO_TEST_CASE(the_end_of_a_jump_is_told_to_what_ran_behind_it) {
  auto running = std::async(std::launch::async, [this] {
    command what
      = make_command("echo $$ > " + (directory.path() / "begun").string() + "; sleep 1000");
    return run(target, what);
  });
  BOOST_REQUIRE(server.wait_for_log("Accepted publickey"));
  bastion.kill_sessions();
  const auto answer = running.get();
  BOOST_REQUIRE(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::dropped));
  BOOST_TEST(contains(answer.what().message, "jump"), answer.what().message);
}

BOOST_AUTO_TEST_CASE(a_machine_that_does_not_listen_is_refused_by_the_jump) {
  server.stop();
  const auto answer = run(target, "true");
  BOOST_REQUIRE(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::refused));
  BOOST_TEST(contains(answer.what().message, "jump " + bastion.user() + '@' + bastion.host()));
  BOOST_TEST(contains(answer.what().message, "Connection refused"), answer.what().message);
}

BOOST_AUTO_TEST_CASE(a_login_that_the_jump_refuses_is_told_as_its_own) {
  target.via.front().username = "nobody-of-that-name";
  const auto answer = run(target, "true");
  BOOST_REQUIRE(answer.failed_with(error_code::authentication_error));
  BOOST_TEST(contains(answer.what().message, "jump nobody-of-that-name@"), answer.what().message);
}

BOOST_AUTO_TEST_CASE(a_changed_host_key_of_the_jump_is_refused) {
  BOOST_REQUIRE(run(target, "true").succeeded());
  bastion.stop();
  bastion.regenerate_host_key();
  bastion.restart();
  const auto answer = run(target, "true");
  BOOST_REQUIRE(answer.failed_with(error_code::host_key_error));
  BOOST_TEST(contains(answer.what().message, "jump"), answer.what().message);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_server_that_does_not_forward_is_no_jump) {
  hub subject{quick_settings()};
  testing::openssh_server closed{{.configuration = "AllowTcpForwarding no\n"}};
  machine target = machine_of(closed);
  target.via = {jump_at(closed)};
  target.via.front().hostname = "localhost";
  const auto answer = subject.run(target, "true");
  BOOST_REQUIRE(answer.failed_with(error_code::rejected));
  BOOST_TEST(contains(answer.what().message, "does not forward connections"),
             answer.what().message);
  BOOST_TEST(answer.what().attempts == 1U);
}

/// A stream through a server, without actors.
struct forwarded_stream {
  explicit forwarded_stream(const testing::real_server& server) : client(server) {
    client->forward(1, {server.host(), server.port()});
    BOOST_REQUIRE(client.until([this] { return client.streams.contains(1); }));
  }

  std::string receive() {
    std::string result(100, '\0');
    ssize_t length = -1;
    client.until([&] {
      length = ::recv(client.streams[1]->socket.get(), result.data(), result.size(), 0);
      return length >= 0;
    });
    result.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return result;
  }

  direct_client client;
};

BOOST_AUTO_TEST_SUITE(forwarding_channel)

BOOST_AUTO_TEST_CASE(a_stream_carries_both_directions_and_ends_with_its_server) {
  const testing::openssh_server server;
  forwarded_stream subject{server};
  BOOST_TEST(subject.receive().starts_with("SSH-2.0-OpenSSH"));
  const std::string nonsense = "nonsense\r\n";
  BOOST_TEST(
    ::send(subject.client.streams[1]->socket.get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL)
    == static_cast<ssize_t>(nonsense.size()));
  std::string rest;
  for (std::string part = subject.receive(); !part.empty(); part = subject.receive())
    rest += part;
  BOOST_TEST(rest == "Invalid SSH identification string.\r\n");
  subject.client.streams.clear();
  BOOST_TEST(subject.client.until([&] { return subject.client.streams_closed.contains(1); }));
}

BOOST_AUTO_TEST_CASE(a_stream_that_its_holder_closes_is_given_up) {
  const testing::openssh_server server;
  forwarded_stream subject{server};
  subject.client.streams.clear();
  BOOST_TEST(subject.client.until([&] { return subject.client.streams_closed.contains(1); }));
  BOOST_TEST(server.wait_for_log("Connection closed by"));
  BOOST_TEST(subject.client.run(1, "echo alive").value().stdout_data == "alive\n");
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_closed_while_its_server_takes_nothing_is_given_up) {
  testing::openssh_server jump;
  testing::openssh_server frozen;
  direct_client client{jump};
  frozen.suspend();
  client->forward(1, {frozen.host(), frozen.port()});
  BOOST_REQUIRE(client.until([&] { return client.streams.contains(1); }));
  const std::string data(std::size_t{64} << 10, 'x');
  // Until nobody takes any more for a while.
  const auto send_all = [&] {
    bool took = false;
    while (::send(client.streams[1]->socket.get(), data.data(), data.size(), MSG_NOSIGNAL) > 0)
      took = true;
    return took;
  };
  while (send_all())
    client.settle();
  client.streams.clear();
  BOOST_TEST(client.until([&] { return client.streams_closed.contains(1); }));
  frozen.resume();
}

/// Sends a stream of many bytes to whoever connects.
class bountiful_server {
public:
  static constexpr std::size_t size = std::size_t{24} << 20;

  static char byte_at(std::size_t i) { return static_cast<char>(i * 7 + i / 4099); }

  bountiful_server() {
    std::string all(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
      all[i] = byte_at(i);
    thread_ = std::thread{[this, all = std::move(all)] {
      pollfd arrival{listener.get(), POLLIN, 0};
      ::poll(&arrival, 1, 60'000);
      const ssh::file_descriptor guest{::accept(listener.get(), nullptr, nullptr)};
      for (std::size_t sent = 0; sent < size;) {
        const ssize_t now = ::send(guest.get(), all.data() + sent, size - sent, MSG_NOSIGNAL);
        if (now <= 0)
          return;
        sent += static_cast<std::size_t>(now);
      }
    }};
  }

  ~bountiful_server() { thread_.join(); }

  bountiful_server(const bountiful_server&) = delete;
  bountiful_server& operator=(const bountiful_server&) = delete;

  ssh::file_descriptor listener = testing::listen_on("127.0.0.1");

private:
  std::thread thread_;
};

// Its window is opened again whenever some of it was taken, and neighbours keep the connection
// reading.
BOOST_AUTO_TEST_CASE(a_slow_reader_of_a_stream_gets_all_of_it) {
  const testing::openssh_server server;
  direct_client client{server};
  bountiful_server source;
  client->forward(1, {"127.0.0.1", testing::port_of(source.listener)});
  client->forward(2, {server.host(), server.port()});
  BOOST_REQUIRE(client.until([&] { return client.streams.size() == 2; }));
  std::string part(std::size_t{100} << 10, '\0');
  std::size_t received = 0;
  bool is_sound = true;
  while (received < bountiful_server::size) {
    // All that can come until the stream is full.
    if (received % (std::size_t{2} << 20) < part.size())
      client.settle();
    ssize_t length = -1;
    const bool came = client.until([&] {
      length = ::recv(client.streams[1]->socket.get(), part.data(), part.size(), 0);
      return length >= 0;
    });
    BOOST_REQUIRE(came);
    BOOST_REQUIRE(length > 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(length); ++i)
      is_sound = is_sound && part[i] == bountiful_server::byte_at(received + i);
    received += static_cast<std::size_t>(length);
  }
  BOOST_TEST(is_sound);
  BOOST_TEST(!client.streams_closed.contains(1));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_connection_is_noted_for_the_holder) {
  testing::openssh_server server;
  forwarded_stream subject{server};
  const auto stream = subject.client.streams[1];
  server.kill_sessions();
  BOOST_REQUIRE(subject.client.until([&] { return subject.client.lost.has_value(); }));
  const auto note = stream->note->read();
  BOOST_REQUIRE(note);
  BOOST_TEST(note->text == subject.client.lost->text);
}

BOOST_AUTO_TEST_SUITE_END()
