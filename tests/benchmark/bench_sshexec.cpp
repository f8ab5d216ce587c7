/// Times commands through an executor: one after another (seq), several at once over one connection
/// (conc), or one each on many machines (fanout, at addresses 127.1.x.y). Arguments and output are
/// those of the rivals that it is compared with.

#include "sshexec/actors/executor.hpp"

#include <CLI/CLI.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using clock_type = std::chrono::steady_clock;

struct options {
  std::string mode = "seq";
  std::uint16_t port = 2300;
  std::string user = "root";
  std::string key;
  std::string line = "true";
  std::size_t commands = 1000;
  std::size_t concurrency = 10;
  std::size_t machines = 100;
};

struct bench_config : caf::actor_system_config {
  bench_config() {
    set("scheduler.policy", caf::atom("sharing"));
    register_messages(*this);
  }
};

std::string address_of(std::size_t i) {
  return "127.1." + std::to_string(i / 250) + '.' + std::to_string(1 + i % 250);
}

/// What there is to do, and what came of it.
struct work {
  executor_actor executor;
  std::vector<machine> targets;
  command what;
  std::size_t total = 0;
  std::size_t sent = 0;
  std::vector<double> milliseconds;
  std::size_t failures = 0;
};

void send_next(caf::event_based_actor* self, work& todo) {
  if (todo.sent == todo.total)
    return;
  const machine& target = todo.targets[todo.sent++ % todo.targets.size()];
  const auto start = clock_type::now();
  self->request(todo.executor, caf::infinite, execute_atom_v, target, todo.what)
    .then(
      [self, &todo, start](const command_result& result) {
        if (result.exit_code != 0) {
          std::fprintf(stderr, "exit code %d\n", result.exit_code);
          ++todo.failures;
        }
        todo.milliseconds.push_back(
          std::chrono::duration<double, std::milli>{clock_type::now() - start}.count());
        send_next(self, todo);
      },
      [self, &todo](const caf::error& error) {
        std::fprintf(stderr, "%s\n", to_failure(error).message.c_str());
        ++todo.failures;
        send_next(self, todo);
      });
}

/// Does the work with so many requests under way; returns the seconds it took.
double do_work(caf::actor_system& system, work& todo, std::size_t concurrency) {
  const auto start = clock_type::now();
  // Without a behavior, the actor ends with its last answer.
  const auto driver = system.spawn([&todo, concurrency](caf::event_based_actor* self) {
    for (std::size_t i = 0; i < concurrency; ++i)
      send_next(self, todo);
  });
  caf::scoped_actor self{system};
  self->wait_for(driver);
  return std::chrono::duration<double>{clock_type::now() - start}.count();
}

std::vector<machine> targets_of(const options& x) {
  std::vector<machine> result(x.mode == "fanout" ? x.machines : 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].hostname = x.mode == "fanout" ? address_of(i) : "127.0.0.1";
    result[i].port = x.port;
    result[i].username = x.user;
    result[i].identity_file = x.key;
  }
  return result;
}

void print(const options& x, std::vector<double> latencies, double seconds) {
  if (latencies.empty())
    return;
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](std::size_t percent) {
    return latencies[std::min(latencies.size() - 1, latencies.size() * percent / 100)];
  };
  std::printf("sshexec %s n=%zu %.0f/s p50=%.2fms p99=%.2fms wall=%.2fs\n", x.mode.c_str(),
              latencies.size(), static_cast<double>(latencies.size()) / seconds, at(50), at(99),
              seconds);
}

/// True when all commands succeeded: figures of failures say nothing.
bool run(const options& x) {
  bench_config config;
  caf::actor_system system{config};
  settings wanted;
  wanted.host_key_policy = host_key_policy::off;
  wanted.journal = "none";
  const auto executor = *spawn_executor(system, wanted);
  work todo{executor, targets_of(x), {}, 1, 0, {}};
  todo.what.line = x.line;
  if (x.mode != "fanout") {
    // The rivals connect before their clock starts, too.
    do_work(system, todo, 1);
    todo.milliseconds.clear();
  }
  todo.sent = 0;
  todo.total = x.mode == "fanout" ? x.machines : x.commands;
  const double seconds = do_work(system, todo, x.mode == "seq" ? 1 : x.concurrency);
  print(x, std::move(todo.milliseconds), seconds);
  caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
  return todo.failures == 0;
}

} // namespace

int main(int argc, char** argv) {
  options x;
  CLI::App app{"Times commands through an executor"};
  app.add_option("--mode", x.mode)->check(CLI::IsMember({"seq", "conc", "fanout"}));
  app.add_option("--port", x.port);
  app.add_option("--user", x.user);
  app.add_option("--key", x.key)->required();
  app.add_option("--cmd", x.line);
  app.add_option("--n", x.commands);
  app.add_option("--c", x.concurrency);
  app.add_option("--m", x.machines);
  CLI11_PARSE(app, argc, argv);
  return run(x) ? 0 : 1;
}
