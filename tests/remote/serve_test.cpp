#include "caller.hpp"
#include "nodes.hpp"
#include "served.hpp"
#include "sshexec/actors/remote/wire/sockets.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A stage whose hub is a process.
struct daemon_stage : stage {
  daemon_stage() {
    std::ofstream{configuration} << "sshexec {\n  known-hosts-file = \"" << file("known_hosts")
                                 << "\"\n  retry-delays = []\n  journal = \"" << file("journal")
                                 << "\"\n}\n";
    ::mkfifo(file("pipe").c_str(), 0600);
    pipe = ssh::file_descriptor{::open(file("pipe").c_str(), O_RDWR | O_CLOEXEC)};
  }

  [[nodiscard]] std::string file(const std::string& name) const { return directory.path() / name; }

  [[nodiscard]] testing::arguments plain() const { return {"--plain", "--config", configuration}; }

  [[nodiscard]] testing::arguments with_tls() const {
    return {"--config",  configuration, "--tls-cert", hub_files.certificate,
            "--tls-key", hub_files.key, "--tls-ca",   hub_files.authority};
  }

  [[nodiscard]] connect_settings to(const served& hub) const {
    connect_settings result;
    // Only a failing test waits so long.
    result.connect_timeout = 1min;
    result.hub.port = hub.port();
    result.plain = true;
    result.first_delay = 10ms;
    result.last_delay = 100ms;
    return result;
  }

  /// Waits until so many commands were begun on the machine.
  [[nodiscard]] bool begun(std::size_t times) const {
    return server.wait_for(testing::event::exec_requested, times, 60s);
  }

  /// Lets a command go on that reads from the pipe, if there is one.
  void open_pipe() const { [[maybe_unused]] const auto size = ::write(pipe.get(), "go\n", 3); }

  [[nodiscard]] std::string wait_for_pipe() const {
    return "read line < " + file("pipe") + "; echo done";
  }

  /// `sshexec run` through a hub; what it printed is in `out` and `err`.
  int run(const std::string& hub_options, const std::string& line) {
    return run_on(to_address(target), hub_options, line);
  }

  /// The same for other targets.
  int run_on(const std::string& targets, const std::string& hub_options, const std::string& line) {
    const std::string script = SSHEXEC_TOOL " run " + hub_options + " -i " + target.identity_file
                               + ' ' + targets + " -- '" + line + "' > " + file("out") + " 2> "
                               + file("err");
    const int code = testing::run_program({"/bin/sh", "-c", script});
    out = content(file("out"));
    err = content(file("err"));
    return code;
  }

  std::string configuration = file("sshexec.conf");
  /// Open at both ends, so that nobody waits for the other one.
  ssh::file_descriptor pipe;
  std::string out;
  std::string err;
};

bool is_one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

/// Notices a hub that has stopped.
connect_settings patient(connect_settings x) {
  x.connect_timeout = 60s;
  return x;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_hub_process, daemon_stage)

BOOST_AUTO_TEST_CASE(serves_the_tool) {
  served hub{with_tls()};
  const std::string options = "--hub " + hub.address() + " --hub-cert " + client_files.certificate
                              + " --hub-key " + client_files.key + " --hub-ca "
                              + client_files.authority;
  BOOST_TEST(run(options, "echo out; echo err >&2; exit 7") == 7);
  BOOST_TEST(out == "out\n");
  BOOST_TEST(err == "err\n");
  // Longer each time until the output comes before, however slow the machine is.
  for (int seconds = 1; seconds <= 64 && out != "part\n"; seconds *= 2)
    BOOST_TEST(run(options + " -t " + std::to_string(seconds) + "s", "echo part; sleep 1000")
               == 124);
  BOOST_TEST(out == "part\n");
  // A result that no message of CAF's could hold.
  BOOST_TEST(run(options + " --max-output 2G", "true") == 255);
  BOOST_TEST(err.find("at most 1 GiB can be kept") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(runs_a_command_on_many_machines_for_the_tool) {
  served hub{plain()};
  std::ofstream{file("hosts")} << "web-[1-3] ansible_host=" << target.hostname
                               << " ansible_port=" << target.port
                               << " ansible_user=" << target.username << '\n';
  BOOST_TEST(run_on("web-[1-3] --expand --at-once 2 --gather --inventory " + file("hosts"),
                    "--hub-plain --hub " + hub.address(), "test %n != 2; echo $?")
             == 0);
  BOOST_TEST(out
             == "---------------\nweb-[1,3] (2)\n---------------\n0\n"
                "---------------\nweb-2\n---------------\n1\n");
  BOOST_TEST(run_on("web-[1-3] --inventory " + file("hosts"), "--hub-plain --hub " + hub.address(),
                    "echo out; exit 7")
             == 1);
  for (const char* line : {"web-1: out\n", "web-2: out\n", "web-3: out\n"})
    BOOST_TEST(out.find(line) != std::string::npos, out);
}

BOOST_AUTO_TEST_CASE(routes_over_nodes_that_it_reaches_with_tls) {
  const served one{with_tls()};
  const served other{with_tls()};
  testing::arguments options = with_tls();
  options.insert(options.end(), {"--node", one.address(), "--node", other.address(), "--node-cert",
                                 client_files.certificate, "--node-key", client_files.key,
                                 "--node-ca", client_files.authority});
  const served router{options};
  connect_settings to_router = to(router);
  to_router.plain = false;
  to_router.tls = client_files;
  client_node client{to_router};
  BOOST_TEST(client.run_until_it_works(target, "echo routed"));
}

BOOST_AUTO_TEST_CASE(gives_the_tool_output_as_it_comes) {
  served hub{plain()};
  tool_process client{{SSHEXEC_TOOL, "run", "--hub", hub.address(), "--hub-plain", "-t", "1h", "-i",
                       target.identity_file, to_address(target), "--",
                       "echo begun; " + wait_for_pipe()}};
  BOOST_TEST(client.read_line() == "begun");
  open_pipe();
  BOOST_TEST(client.read_line() == "done");
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(takes_input_from_the_tool) {
  served hub{plain()};
  const std::string tool_line = SSHEXEC_TOOL " run --hub-plain --hub " + hub.address()
                                + " -t 1h -i " + target.identity_file + ' ' + to_address(target);
  const std::string part = file("part");
  // The second part comes when the first one has been echoed.
  const std::string script = "head -c 1500000 /dev/urandom > " + part + "; { cat " + part
                             + "; read line < " + file("pipe") + "; cat " + part + "; } | "
                             + tool_line + " -- cat | { head -c 1500000; echo go > " + file("pipe")
                             + "; cat; } > " + file("echoed") + "; cat " + part + ' ' + part
                             + " | cmp - " + file("echoed");
  BOOST_TEST(testing::run_program({"/bin/sh", "-c", script}) == 0);
}

BOOST_AUTO_TEST_CASE(is_named_when_it_cannot_be_reached) {
  const auto reserved = testing::reserve_port("127.0.0.1");
  const std::string address = "127.0.0.1:" + std::to_string(testing::port_of(reserved));
  BOOST_TEST(run("--hub-plain --hub " + address, "true") == 255);
  BOOST_TEST(out.empty());
  BOOST_TEST(is_one_line(err));
  BOOST_TEST(err.find(address) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(that_is_killed_is_told_to_who_waits_and_found_again_when_it_is_back) {
  auto hub = std::make_unique<served>(plain());
  const std::string address = hub->address();
  client_node client{to(*hub)};
  caller waiting{client, target, make_command("sleep 1000")};
  BOOST_REQUIRE(begun(1));
  hub->process().signal(SIGKILL);
  const auto lost = waiting.wait();
  BOOST_TEST(lost.failed_with(error_code::connection_error));
  BOOST_TEST(lost.what().message.find(address) != std::string::npos);
  BOOST_TEST((lost.what().fault == connection_fault::dropped));
  BOOST_TEST((lost.what().progress == progress::may_have_run));
  BOOST_TEST(client.run(target, "true").failed_with(error_code::connection_error));
  hub.reset();
  hub = std::make_unique<served>(plain(), address);
  BOOST_TEST(client.run_until_it_works(target, "true"));
}

BOOST_AUTO_TEST_CASE(that_stops_is_noticed) {
  served hub{plain()};
  client_node client{to(hub), 500ms, 5s};
  caller waiting{client, target, make_command("sleep 1000")};
  BOOST_REQUIRE(begun(1));
  hub.process().signal(SIGSTOP);
  BOOST_TEST(waiting.wait().failed_with(error_code::connection_error));
}

BOOST_AUTO_TEST_CASE(cancels_the_commands_of_a_client_that_is_killed) {
  served hub{plain()};
  tool_process client{{SSHEXEC_TOOL, "run", "--hub", hub.address(), "--hub-plain", "-i",
                       target.identity_file, to_address(target), "--", "sleep 1000"}};
  BOOST_REQUIRE(begun(1));
  client.signal(SIGKILL);
  BOOST_TEST(server.wait_for(testing::event::channel_closed, 1, 60s));
}

BOOST_AUTO_TEST_CASE(cancels_the_command_of_a_client_that_is_interrupted) {
  served hub{plain()};
  tool_process client{{SSHEXEC_TOOL, "run", "--hub", hub.address(), "--hub-plain", "-i",
                       target.identity_file, to_address(target), "--", "sleep 1000"}};
  BOOST_REQUIRE(begun(1));
  client.signal(SIGINT);
  BOOST_TEST(client.wait() == 130);
  BOOST_TEST(server.wait_for(testing::event::channel_closed, 1, 60s));
}

BOOST_AUTO_TEST_CASE(lets_commands_end_that_are_under_way_when_it_is_terminated) {
  served hub{plain()};
  client_node client{patient(to(hub))};
  caller waiting{client, target, make_command(wait_for_pipe())};
  BOOST_REQUIRE(begun(1));
  hub.process().signal(SIGTERM);
  answer refused = client.run(target, "true");
  while (refused.outcome)
    refused = client.run(target, "true");
  BOOST_TEST(refused.failed_with(error_code::shutting_down));
  open_pipe();
  const auto done = waiting.wait();
  BOOST_REQUIRE(done.outcome);
  BOOST_TEST(done.outcome->output.stdout_data == "done\n");
  BOOST_TEST(hub.process().wait() == 0);
}

BOOST_AUTO_TEST_CASE(ends_at_once_at_a_second_signal) {
  served hub{plain()};
  client_node client{patient(to(hub))};
  caller waiting{client, target, make_command("sleep 1000")};
  BOOST_REQUIRE(begun(1));
  // Two that follow closely may be one.
  while (!hub.process().has_ended())
    hub.process().signal(SIGTERM);
  BOOST_TEST(hub.process().wait() == 143);
  BOOST_TEST(waiting.wait().failed_with(error_code::connection_error));
}

BOOST_AUTO_TEST_CASE(lets_clients_in_though_nobody_reads_whom_it_refused) {
  ::fcntl(pipe.get(), F_SETPIPE_SZ, 4096);
  std::string line = "exec " SSHEXEC_TOOL " serve --listen 127.0.0.1:0";
  for (const std::string& option : with_tls())
    line += ' ' + option;
  tool_process hub{{"/bin/sh", "-c", line + " 2> " + file("pipe")}};
  const std::string said = hub.read_line();
  BOOST_REQUIRE(said.starts_with("sshexec: listening on 127.0.0.1:"));
  connect_settings config;
  config.connect_timeout = 1min;
  config.hub.port = static_cast<std::uint16_t>(std::stoul(said.substr(said.rfind(':') + 1)));
  config.tls = client_files;
  for (int i = 0; i < 200; ++i) {
    const auto socket
      = connect_to(config.hub, {std::chrono::steady_clock::now() + std::chrono::seconds{60}});
    BOOST_REQUIRE(socket);
    BOOST_REQUIRE(::send(socket->get(), "garbage", 7, MSG_NOSIGNAL) == 7);
  }
  client_node client{config};
  BOOST_TEST(bool{client.run(target, "true").outcome});
}

BOOST_AUTO_TEST_CASE(writes_every_line_of_its_journal_though_the_file_is_moved_away) {
  served hub{plain()};
  client_node client{to(hub)};
  BOOST_REQUIRE(client.run(target, "echo before").outcome);
  std::filesystem::rename(file("journal"), file("journal.1"));
  BOOST_REQUIRE(client.run(target, "echo between").outcome);
  hub.process().signal(SIGHUP);
  std::size_t after = 0;
  do {
    BOOST_REQUIRE(client.run(target, "echo after").outcome);
    ++after;
  } while (!std::filesystem::exists(file("journal")));
  BOOST_REQUIRE(client.run(target, "echo last").outcome);
  client.shut_down();
  hub.process().signal(SIGTERM);
  BOOST_TEST(hub.process().wait() == 0);
  const std::string both = content(file("journal.1")) + content(file("journal"));
  BOOST_TEST(static_cast<std::size_t>(std::count(both.begin(), both.end(), '\n')) == after + 3);
  BOOST_TEST(content(file("journal.1")).find("between") != std::string::npos);
  BOOST_TEST(content(file("journal")).find("last") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(tells_its_manager_when_it_is_ready_and_when_it_ends) {
  const ssh::file_descriptor manager{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = file("notify");
  std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
  BOOST_REQUIRE(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address))
                == 0);
  const auto receive = [&manager] {
    std::array<char, 256> buffer{};
    const ssize_t size = ::recv(manager.get(), buffer.data(), buffer.size(), 0);
    return std::string{buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  };
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  served hub{plain()};
  ::unsetenv("NOTIFY_SOCKET");
  BOOST_TEST(receive() == "READY=1");
  hub.process().signal(SIGTERM);
  BOOST_TEST(receive() == "STOPPING=1");
  BOOST_TEST(hub.process().wait() == 0);
}

BOOST_AUTO_TEST_CASE(that_cannot_start_says_why_in_one_line) {
  const auto reserved = testing::listen_on("127.0.0.1");
  const std::string taken = "127.0.0.1:" + std::to_string(testing::port_of(reserved));
  const std::string bad = file("bad.conf");
  std::ofstream{bad} << "sshexec { serve { liste = \"127.0.0.1:0\" } }\n";
  const std::string wrong_type = file("type.conf");
  std::ofstream{wrong_type} << "sshexec { serve { plain = 3 } }\n";
  const std::string no_heartbeat = file("heartbeat.conf");
  std::ofstream{no_heartbeat} << "middleman { heartbeat-interval = 0s }\n";
  const std::string no_key = file("key.conf");
  std::ofstream{no_key} << "sshexec { identity-file = \"/no/such/key\" }\n";
  const std::string no_passphrase = file("passphrase.conf");
  std::ofstream{no_passphrase} << "sshexec { passphrase-file = \"/etc\" }\n";
  for (const auto& [options, part] : std::vector<std::pair<std::string, std::string>>{
         {"--plain --listen 127.0.0.1:0 --config " + no_key, "/no/such/key cannot be read"},
         {"--plain --listen 127.0.0.1:0 --config " + no_passphrase, "/etc cannot be read"},
         {"", "a certificate"},
         {"--plain --listen 0.0.0.0:0", "0.0.0.0"},
         {"--plain --listen " + taken, taken},
         {"--plain --listen :::", ":::"},
         {"--plain --tls-cert x", "not both"},
         {"--tls-cert /no/such --tls-key /no/such --tls-ca /no/such", "/no/such"},
         {"--plain --config /no/such/file", "/no/such/file"},
         {"--plain --config " + bad, "sshexec.serve.liste"},
         {"--config " + wrong_type, "sshexec.serve.plain"},
         {"--plain --listen 127.0.0.1:0 --config " + no_heartbeat, "heartbeat-interval"},
         {"--plain --listen 127.0.0.1:0 --journal /dev/null/x", "/dev/null/x"}}) {
    const int code = testing::run_program(
      {"/bin/sh", "-c", SSHEXEC_TOOL " serve " + options + " 2> " + file("err")});
    err = content(file("err"));
    BOOST_TEST(code == 255, options);
    BOOST_TEST(is_one_line(err), options << " said: " << err);
    BOOST_TEST(err.find(part) != std::string::npos, options << " said: " << err);
  }
}

BOOST_AUTO_TEST_SUITE_END()
