#include "nodes.hpp"
#include "rolled_out.hpp"
#include "served.hpp"
#include "sshexec/actors/cluster/rendezvous.hpp"
#include "sshexec/actors/cluster/router.hpp"
#include "sshexec/actors/remote/connect_node.hpp"
#include "sshexec/testing/openssh_server.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

/// Within this time a node and its router notice that they lost each other. A busy machine must not
/// keep one from its heartbeats for as long.
#ifdef __SANITIZE_THREAD__
constexpr auto detection_bound = 45s;
#else
constexpr auto detection_bound = 15s;
#endif

/// One run of a command, as the machine saw it.
struct run {
  std::string machine;
  /// The port that the SSH connection came from; each node has its own to each machine.
  std::string connection;
  std::chrono::nanoseconds begin{};
  std::chrono::nanoseconds end{};
};

/// Three hubs as processes, a router over them in this one, and a real SSH server that is all
/// machines. Commands write down when and over which connection they run.
class cluster {
public:
  cluster() {
    std::ofstream{file("diary")};
    // The machines' user writes to it.
    std::filesystem::permissions(directory_.path(), std::filesystem::perms{0711});
    std::filesystem::permissions(file("diary"), std::filesystem::perms{0666});
    std::ofstream{file("sshexec.conf")} << "sshexec {\n  host-key-policy = \"off\"\n"
                                           "  retry-delays = []\n}\n"
                                           "middleman {\n  heartbeat-interval = 1s\n"
                                           "  connection-timeout = "
                                        << detection_bound.count() << "s\n}\n";
    settings config;
    config.journal = "none";
    auto spawned = spawn_router(system, config);
    BOOST_REQUIRE(spawned);
    router = std::move(*spawned);
    for (int i = 0; i < 3; ++i)
      add_node();
  }

  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  ~cluster() { caf::anon_send_exit(router, caf::exit_reason::user_shutdown); }

  /// Starts a node, and returns once it has joined.
  void add_node() {
    const std::string journal = file("journal-" + std::to_string(nodes.size()));
    const auto& node = *nodes.emplace_back(
      std::make_unique<served>(testing::arguments{"--plain", "--config", file("sshexec.conf"),
                                                  "--journal", journal, "--drain-timeout", "10m"}));
    names.push_back(node.address());
    connect_settings config;
    config.hub.port = node.port();
    config.plain = true;
    BOOST_REQUIRE(connect_node(system, router, config));
    const machine target = machine_of(nodes.size() - 1, 0, "probe-");
    BOOST_REQUIRE(wait_until([&] {
      run_one(target, make_command("true"));
      return std::filesystem::file_size(journal) > 0;
    }));
  }

  /// A machine that belongs to this node when all are there.
  [[nodiscard]] machine machine_of(std::size_t node, int number = 0,
                                   const std::string& prefix = "machine-") const {
    rendezvous ring;
    for (const std::string& name : names)
      ring.insert(name);
    for (int i = 0;; ++i) {
      machine result;
      result.id = prefix + std::to_string(i);
      result.hostname = server_.host();
      result.port = server_.port();
      result.username = server_.user();
      result.identity_file = server_.identity_file();
      if (*ring.owner(result.id) == names.at(node) && number-- == 0)
        return result;
    }
  }

  /// Writes to the diary when it begins and when it ends, or is ended, and does something in
  /// between.
  [[nodiscard]] command noted(const machine& target, const std::string& what) const {
    const std::string note = "note() { echo \"$(date +%s%N) $1 $$ " + target.id + " ${c%% *}\" >> "
                             + file("diary") + "; }; c=${SSH_CONNECTION#* }; ";
    command result = make_command(note + "trap 'note end; exit 1' TERM; note begin; " + what
                                  + "; note end; echo ok");
    result.timeout = 10min;
    return result;
  }

  /// All runs so far; those that did not end have no end.
  [[nodiscard]] std::vector<run> runs() const {
    std::map<std::string, run> by_process;
    std::ifstream diary{file("diary")};
    for (std::string line; std::getline(diary, line);) {
      std::istringstream words{line};
      std::chrono::nanoseconds::rep time = 0;
      std::string what;
      std::string process;
      run x;
      words >> time >> what >> process >> x.machine >> x.connection;
      run& noted = by_process.try_emplace(process, x).first->second;
      (what == "begin" ? noted.begin : noted.end) = std::chrono::nanoseconds{time};
    }
    std::vector<run> result;
    for (const auto& [process, x] : by_process)
      result.push_back(x);
    return result;
  }

  /// Asks until it holds; false if it does not within minutes.
  template <class Predicate>
  [[nodiscard]] bool wait_until(Predicate holds) {
    caf::scoped_actor self{system};
    for (const auto end = std::chrono::steady_clock::now() + 3min;
         std::chrono::steady_clock::now() < end;) {
      if (holds())
        return true;
      self->receive(caf::after(10ms) >> [] {});
    }
    return false;
  }

  answer run_one(const machine& target, const command& what) {
    return run_all({{target, what}}, [] {}).front();
  }

  /// Sends all requests at once, does something, and waits for all answers.
  template <class Function>
  std::vector<answer> run_all(const std::vector<std::pair<machine, command>>& wanted,
                              Function meanwhile) {
    caf::scoped_actor self{system};
    using handle = decltype(self->request(router, caf::infinite, execute_atom_v, wanted[0].first,
                                          wanted[0].second));
    std::vector<handle> requests;
    for (const auto& [target, what] : wanted)
      requests.push_back(self->request(router, caf::infinite, execute_atom_v, target, what));
    meanwhile();
    std::vector<answer> answers(wanted.size());
    for (std::size_t i = 0; i < requests.size(); ++i)
      requests[i].receive([&](command_result& x) { answers[i].outcome = std::move(x); },
                          [&](caf::error& x) { answers[i].outcome = std::move(x); });
    return answers;
  }

  /// What a command does that goes on until `go`. Many do it at once, so each asks seldom.
  [[nodiscard]] std::string wait_for_go() const {
    return "while [ ! -e " + file("go") + " ]; do sleep 0.5; done";
  }

  void go() const { std::ofstream{file("go")}; }

  [[nodiscard]] std::string file(const std::string& name) const { return directory_.path() / name; }

  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream stream{file(name)};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }

  std::vector<std::unique_ptr<served>> nodes;
  std::vector<std::string> names;
  network_config config{1s, detection_bound};
  caf::actor_system system{config};
  router_actor router;

private:
  testing::openssh_server server_;
  testing::temporary_directory directory_;
};

std::vector<run> runs_on(const std::vector<run>& all, const machine& target) {
  std::vector<run> result;
  std::copy_if(all.begin(), all.end(), std::back_inserter(result),
               [&](const run& x) { return x.machine == target.id; });
  std::sort(result.begin(), result.end(),
            [](const run& a, const run& b) { return a.begin < b.begin; });
  return result;
}

/// The longest time for which a machine ran commands over two connections at once.
std::chrono::nanoseconds longest_overlap(const std::vector<run>& runs) {
  std::chrono::nanoseconds result{0};
  for (const run& a : runs) {
    for (const run& b : runs) {
      if (a.machine == b.machine && a.connection != b.connection)
        result = std::max(result, std::min(a.end, b.end) - std::max(a.begin, b.begin));
    }
  }
  return result;
}

/// Some commands for each of two machines of each of the first three nodes.
std::vector<std::pair<machine, command>> load(const cluster& stage, int rounds,
                                              const std::string& what) {
  std::vector<std::pair<machine, command>> result;
  for (int i = 0; i < 6 * rounds; ++i) {
    const machine target = stage.machine_of(static_cast<std::size_t>(i % 3), i / 3 % 2);
    result.emplace_back(target, stage.noted(target, what));
  }
  return result;
}

bool succeeded(const answer& x) {
  if (!x.outcome)
    BOOST_TEST_MESSAGE(x.what().message);
  return x.outcome && x.outcome->output.stdout_data == "ok\n";
}

} // namespace

BOOST_AUTO_TEST_SUITE(router_test)

BOOST_FIXTURE_TEST_CASE(every_request_is_answered_when_a_node_is_killed_under_load, cluster) {
  auto wanted = load(*this, 40, wait_for_go());
  for (std::size_t i = 0; i < wanted.size(); i += 4)
    wanted[i].second.retry = retry_policy::never;
  const auto answers = run_all(wanted, [this] {
    // As many as one connection takes at once.
    BOOST_REQUIRE(wait_until([&] { return runs_on(runs(), machine_of(0)).size() == 10; }));
    nodes[0]->process().signal(SIGKILL);
    go();
  });
  std::size_t lost = 0;
  std::size_t moved = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (wanted[i].second.retry == retry_policy::always || answers[i].outcome) {
      BOOST_TEST(succeeded(answers[i]));
      moved += answers[i].outcome && answers[i].outcome->attempts > 1 ? 1 : 0;
      continue;
    }
    ++lost;
    BOOST_TEST(answers[i].failed_with(error_code::connection_error));
    BOOST_TEST((answers[i].what().progress == progress::may_have_run));
    BOOST_TEST(answers[i].what().message.find("node " + names[0] + " was lost")
               != std::string::npos);
  }
  BOOST_TEST(moved > 0U);
  BOOST_TEST(lost > 0U);
  BOOST_TEST_MESSAGE(moved << " commands were run again, " << lost << " failed");
  BOOST_TEST((longest_overlap(runs()) < detection_bound));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_stops_loses_its_machines_and_ends_its_commands_when_it_wakes,
                        cluster) {
  const machine target = machine_of(0);
  const auto answers = run_all({{target, noted(target, wait_for_go())}}, [&] {
    BOOST_REQUIRE(wait_until([&] { return runs_on(runs(), target).size() == 1; }));
    nodes[0]->process().signal(SIGSTOP);
    BOOST_REQUIRE(wait_until([&] { return runs_on(runs(), target).size() == 2; }));
    for (const answer& x : run_all(load(*this, 5, "true"), [] {}))
      BOOST_TEST(succeeded(x));
    nodes[0]->process().signal(SIGCONT);
    BOOST_REQUIRE(wait_until([&] { return runs_on(runs(), target).front().end.count() != 0; }));
    BOOST_TEST((runs_on(runs(), target)[1].end.count() == 0));
    go();
  });
  BOOST_TEST(succeeded(answers[0]));
  BOOST_TEST(answers[0].outcome->attempts == 2U);
  // It joins again.
  BOOST_TEST(wait_until([&] {
    run_one(target, make_command("echo back"));
    return content("journal-0").find("echo back") != std::string::npos;
  }));
}

BOOST_FIXTURE_TEST_CASE(a_rollout_reaches_every_machine_though_a_node_is_killed, cluster) {
  rollout what;
  for (int i = 0; i < 60; ++i)
    what.machines.push_back(machine_of(static_cast<std::size_t>(i % 3), i / 3));
  what.command = make_command("sleep 0.2; echo ok");
  what.command.timeout = 10min;
  what.at_once = 15;
  const rolled_out seen
    = run_rollout(system, router, what, [this](const rollout_actor&, std::size_t outcomes) {
        if (outcomes == 10)
          nodes[0]->process().signal(SIGKILL);
      });
  BOOST_TEST(!seen.told_twice);
  BOOST_TEST(seen.summary.all == 60U);
  BOOST_TEST(seen.summary.succeeded == 60U);
  for (const auto& [place, x] : seen.outcomes)
    BOOST_TEST(x.result.output.stdout_data == "ok\n", x.what.message);
}

BOOST_FIXTURE_TEST_CASE(no_request_fails_when_nodes_join_leave_and_shut_down_under_load, cluster) {
  auto wanted = load(*this, 40, wait_for_go());
  for (auto& [target, what] : wanted)
    what.retry = retry_policy::never;
  const auto answers = run_all(wanted, [&] {
    for (const auto& [target, what] : wanted)
      BOOST_REQUIRE(wait_until([&] { return !runs_on(runs(), target).empty(); }));
    add_node();
    caf::scoped_actor self{system};
    auto leaving = self->request(router, caf::infinite, leave_atom_v, names[0]);
    nodes[1]->process().signal(SIGTERM);
    go();
    leaving.receive([] {}, [](const caf::error& reason) { BOOST_ERROR(caf::to_string(reason)); });
    nodes[0]->process().signal(SIGKILL);
  });
  for (const answer& x : answers)
    BOOST_TEST(succeeded(x));
  BOOST_TEST(longest_overlap(runs()).count() == 0);
}

BOOST_FIXTURE_TEST_CASE(the_tool_serves_a_router, cluster) {
  served tool{
    {"--plain", "--journal", "none", "--node-plain", "--node", names[0], "--node", names[1]}};
  connect_settings to_tool;
  to_tool.hub.port = tool.port();
  to_tool.plain = true;
  client_node client{to_tool};
  const machine target = machine_of(0);
  BOOST_TEST(client.run_until_it_works(target, "echo ok"));
  nodes[0]->process().signal(SIGKILL);
  nodes[1]->process().signal(SIGKILL);
  BOOST_REQUIRE(wait_until([&] {
    const answer last = client.run(target, "echo ok");
    return last.failed_with(error_code::connection_error)
           && last.what().message.find("there is no node") != std::string::npos;
  }));
  tool.process().signal(SIGTERM);
  BOOST_TEST(tool.process().wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
