#include "sshexec/app/demo/demo.hpp"

#include "sshexec/actors/services/escape.hpp"
#include "sshexec/app/demo/fleet.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/tool_system.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace sshexec::app {

namespace {

using namespace std::chrono_literals;

/// One command of the demo, and how it has to end.
struct demo_command {
  std::string line;
  caf::timespan timeout;
  std::function<bool(const outcome&)> as_expected;
};

bool succeeds_with(const outcome& x, const std::string& text) {
  return x && x->exit_code == 0 && x->output.stdout_data == text;
}

/// Commands that are sent together, and why.
struct demo_round {
  const char* title;
  std::vector<demo_command> commands;
};

std::vector<demo_round> rounds() {
  return {
    {"a command on a new connection",
     {{"echo hello", 30s, [](const outcome& x) { return succeeds_with(x, "hello\n"); }}}},
    {"the next one on the same connection",
     {{"echo again", 30s,
       [](const outcome& x) { return succeeds_with(x, "again\n") && x->reused_connection; }}}},
    {"one that fails", {{"exit 3", 30s, [](const outcome& x) { return x && x->exit_code == 3; }}}},
    {"one that writes to stderr",
     {{"echo oops >&2", 30s,
       [](const outcome& x) { return x && x->output.stderr_data == "oops\n"; }}}},
    {"two at once",
     {{"sleep 0.2; echo one", 30s, [](const outcome& x) { return succeeds_with(x, "one\n"); }},
      {"sleep 0.2; echo two", 30s, [](const outcome& x) { return succeeds_with(x, "two\n"); }}}},
    {"one that takes too long",
     {{"echo begun; sleep 30", 300ms,
       [](const outcome& x) {
         return !x && is(x.error(), error_code::command_timeout)
                && to_failure(x.error()).output.stdout_data == "begun\n"
                && to_failure(x.error()).termination == termination::signalled;
       }}}},
  };
}

std::string excerpt(const command_output& output) {
  const std::string text = output.stdout_data.empty() && !output.stderr_data.empty()
                             ? "stderr: " + output.stderr_data
                             : output.stdout_data;
  return escape(text.substr(0, text.find('\n')));
}

void print_row(const std::string& line, const outcome& x, bool as_expected) {
  const failure what = x ? failure{} : to_failure(x.error());
  const std::string end = x ? fmt::format("exit {}", x->exit_code)
                            : to_string(static_cast<error_code>(x.error().code()));
  const double milliseconds
    = std::chrono::duration<double, std::milli>{x ? x->duration : what.duration}.count();
  const char* connection = !x ? "" : x->reused_connection ? "reused" : "new";
  fmt::print("  {:<22} {:<16} {:>8.1f} {:>8}  {:<10} {:<14} {}\n", line, end, milliseconds,
             x ? x->attempts : what.attempts, connection, excerpt(x ? x->output : what.output),
             as_expected ? "" : "UNEXPECTED");
}

/// Runs the commands of a round at once; counts those that did not end as they should.
int run_round(const demo_round& round, const machine& target, tool_system& system) {
  caf::scoped_actor self{*system};
  const auto send = [&](const demo_command& x) {
    command what;
    what.line = x.line;
    what.timeout = x.timeout;
    return self->request(*system.executor(), caf::infinite, execute_atom_v, target, what);
  };
  std::vector<decltype(send(round.commands.front()))> requests;
  for (const demo_command& x : round.commands)
    requests.push_back(send(x));

  fmt::print("{}\n", round.title);
  int unexpected = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    outcome ended{caf::sec::none};
    requests[i].receive([&ended](command_result& result) { ended = std::move(result); },
                        [&ended](caf::error& error) { ended = std::move(error); });
    const bool as_expected = round.commands[i].as_expected(ended);
    print_row(round.commands[i].line, ended, as_expected);
    unexpected += as_expected ? 0 : 1;
  }
  return unexpected;
}

int run_rounds(const machine& target, const settings& config) {
  tool_system system{config};
  if (!system.executor()) {
    complain(to_failure(system.executor().error()).message);
    return 1;
  }
  fmt::print("  {:<22} {:<16} {:>8} {:>8}  {:<10} {}\n", "command", "outcome", "ms", "attempts",
             "connection", "output");
  int unexpected = 0;
  for (const demo_round& round : rounds())
    unexpected += run_round(round, target, system);
  return unexpected;
}

void print_file(const std::filesystem::path& path) {
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);)
    fmt::print("  {}\n", line);
}

} // namespace

int run_demo() {
  testing::scripted_server server;
  const testing::temporary_directory directory;
  settings config;
  config.known_hosts_file = directory.path() / "known_hosts";
  config.journal = directory.path() / "journal";
  machine target;
  target.id = "demo";
  target.hostname = server.host();
  target.port = server.port();
  target.username = "demo";
  target.identity_file = server.client_key_file();

  fmt::print("An SSH server of this demo's own listens on {}:{}, host key {}\n\n", server.host(),
             server.port(), server.host_key_fingerprint());
  const int unexpected = run_rounds(target, config);
  fmt::print("\nThe journal of these commands:\n");
  print_file(config.journal);
  fmt::print("\n");
  config.journal = "none";
  const bool is_well = show_rollout(config) && unexpected == 0;
  fmt::print("\n{}\n", is_well ? "All commands ended as they should."
                               : "Some commands did not end as they should.");
  return is_well ? 0 : 1;
}

} // namespace sshexec::app
