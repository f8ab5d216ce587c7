/// Runs random commands against servers with random faults, all decided by a seed, and checks the
/// promises: each request is answered once and as the faults explain, and nothing is used up.

#include "driver.hpp"
#include "journal_pipe.hpp"
#include "process_resources.hpp"
#include "site.hpp"
#include "sshexec/app/tool_system.hpp"
#include "sshexec/testing/temporary_directory.hpp"
#include "tally.hpp"

#include <CLI/CLI.hpp>
#include <caf/scoped_actor.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

namespace sshexec::soak {

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

struct options {
  std::uint64_t seed = std::random_device{}();
  double minutes = 0;
  std::uint64_t commands = 200'000;
  std::uint64_t round_size = 20'000;
  std::uint64_t first_round = 1;
};

/// The machines of a round; their shares make 100 %.
constexpr temper tempers[] = {
  {.name = "calm", .share = 40, .shell = 2},
  {.name = "narrow", .share = 17, .narrow = 100},
  {.name = "openssh", .share = 3, .shell = 100, .is_openssh = true},
  {.name = "stormy", .share = 10, .shell = 2, .breaking = 50, .bad_runs = 6, .disturbed = 20},
  {.name = "spoiled", .share = 10, .narrow = 50, .bad_runs = 10},
  {.name = "network", .share = 10, .disturbed = 40, .has_proxy = true},
  {.name = "impostor", .share = 5, .impostor = 20, .disturbed = 30},
  {.name = "locked", .share = 5, .locked = 20, .disturbed = 30},
};

/// The caches of the allocator, of libssh and of CAF fill during these rounds.
constexpr std::uint64_t warm_up_rounds = 2;

/// What the allocator may fail to give back, as different rounds leave it in different disorder. A
/// leak of 42 bytes for each of 200,000 commands would show.
constexpr std::size_t memory_tolerance = std::size_t{8} << 20;

/// Sanitizers keep what was freed, to catch who still uses it, and tell leaks themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_told = false;
#else
constexpr bool memory_is_told = true;
#endif

/// A busy machine must not make a real server, or a narrow network, look like a dead one.
constexpr auto connect_timeout = 8s;

/// The first ones tell most.
constexpr std::size_t most_violations_told = 20;

/// Far more than anything takes: whatever does not come within it will never come.
constexpr auto patience = 60s;

settings soak_settings(const std::string& directory, const std::string& known_hosts) {
  settings result;
  result.known_hosts_file = known_hosts;
  result.journal = directory + "/journal";
  // A pipe cannot be rotated.
  result.journal_max_size = std::uint64_t{1} << 60;
  result.retry_delays = {10ms, 20ms, 40ms};
  result.retry_jitter = 0.5;
  result.connect_timeout = connect_timeout;
  result.keepalive_interval = 500ms;
  result.command_timeout = 20s;
  result.kill_grace = 50ms;
  result.idle_timeout = 100ms;
  return result;
}

std::string to_text(const test::process_resources& x) {
  return fmt::format("{:.1f} MiB of memory, {} descriptors, {} threads",
                     static_cast<double>(x.resident_bytes) / (1 << 20), x.descriptors, x.threads);
}

/// One executor and all rounds of a run.
class soak_run {
public:
  explicit soak_run(const options& wanted) : options_(wanted) {
    if (!system_.executor())
      throw std::runtime_error((*system_).render(system_.executor().error()));
    journal_.start();
    idle_actors_ = (*system_).registry().running();
  }

  /// Goes on until a promise is broken; tells whether all were kept.
  bool play() {
    while (wants_more()) {
      ++round_;
      play_round();
      come_to_rest();
      check_resources();
      report_progress();
    }
    shut_down();
    report();
    return total_.violations.empty();
  }

private:
  [[nodiscard]] bool wants_more() const {
    const bool unfinished
      = total_.commands < options_.commands || elapsed() < options_.minutes * 1min;
    return unfinished && total_.violations.empty();
  }

  [[nodiscard]] std::chrono::duration<double> elapsed() const { return clock_type::now() - start_; }

  void play_round();
  void wait_for_drivers(caf::scoped_actor& self, std::size_t count);
  void come_to_rest();
  void check_resources();
  void check_growth(const char* what, std::size_t before, std::size_t now, std::size_t tolerance);
  void shut_down();
  void await_actors(std::size_t count, const char* complaint);
  void violated(const std::string& what);
  [[noreturn]] void give_up(const std::string& why);
  void report_progress() const;
  void report() const;
  void report_verdict() const;

  const options options_;
  const clock_type::time_point start_ = clock_type::now();
  const testing::temporary_directory directory_;
  const std::string known_hosts_ = directory_.path() / "known_hosts";
  // Before the executor that writes to it, so that it is gone when the reader waits for the end.
  journal_pipe journal_{directory_.path() / "journal"};
  app::tool_system system_{soak_settings(directory_.path(), known_hosts_)};
  std::size_t idle_actors_ = 0;
  std::uint64_t round_ = options_.first_round - 1;
  std::atomic<std::uint64_t> answers_ = 0;
  tally total_;
  std::optional<test::process_resources> warm_;
  std::optional<test::process_resources> last_;
};

void soak_run::play_round() {
  std::list<site> sites;
  std::uint64_t next_task = round_ * options_.round_size;
  journal_.expect(next_task, options_.round_size);
  for (const temper& kind : tempers) {
    const std::string name = std::to_string(options_.seed) + '/' + std::to_string(round_) + '/';
    const std::size_t tasks = options_.round_size * static_cast<unsigned>(kind.share) / 100;
    sites.emplace_back(kind, name + kind.name, next_task, tasks);
    next_task += tasks;
  }
  std::list<tally> seen(sites.size());
  {
    caf::scoped_actor self{*system_};
    auto its_tally = seen.begin();
    for (site& where : sites)
      self->monitor(
        (*system_).spawn(driver, *system_.executor(), &where, &*its_tally++, &answers_));
    wait_for_drivers(self, sites.size());
  }
  for (const tally& x : seen)
    total_.add(x);
  for (const site& where : sites) {
    total_.connections += where.connections();
    for (const auto& [fault, count] : where.faults())
      total_.faults[fault] += count;
  }
}

/// Gives up when no command was answered for a long time.
void soak_run::wait_for_drivers(caf::scoped_actor& self, std::size_t count) {
  std::uint64_t answers_before = answers_;
  while (count > 0)
    self->receive([&](const caf::down_msg&) { --count; },
                  caf::after(patience) >>
                    [&] {
                      if (answers_ == answers_before)
                        give_up("some requests are never answered");
                      answers_before = answers_;
                    });
}

/// Waits until all connections are closed and all supervisors retired, for the servers are gone.
/// Their keys are forgotten: servers to come may get the same ports.
void soak_run::come_to_rest() {
  await_actors(idle_actors_, "supervisors are never retired");
  std::filesystem::remove(known_hosts_);
  if (auto complaint = journal_.objection(patience))
    violated(*complaint);
}

void soak_run::check_resources() {
  ::malloc_trim(0);
  last_.emplace();
  if (round_ == options_.first_round + warm_up_rounds - 1)
    warm_ = last_;
  if (!warm_)
    return;
  if (memory_is_told)
    check_growth("bytes of memory", warm_->resident_bytes, last_->resident_bytes, memory_tolerance);
  check_growth("descriptors", warm_->descriptors, last_->descriptors, 0);
  check_growth("threads", warm_->threads, last_->threads, 0);
}

void soak_run::check_growth(const char* what, std::size_t before, std::size_t now,
                            std::size_t tolerance) {
  if (now > before + tolerance)
    violated(std::to_string(now) + ' ' + what + " instead of " + std::to_string(before));
}

void soak_run::shut_down() {
  system_.shut_down();
  await_actors(0, "the executor does not end");
}

/// The actor system tells nobody when its actors become fewer, so that it must be asked.
void soak_run::await_actors(std::size_t count, const char* complaint) {
  const auto deadline = clock_type::now() + patience;
  while ((*system_).registry().running() != count) {
    if (clock_type::now() > deadline)
      give_up(complaint);
    std::this_thread::sleep_for(1ms);
  }
}

void soak_run::violated(const std::string& what) {
  total_.violations.push_back("round " + std::to_string(round_) + ": " + what);
}

/// Ends the process: what does not come to an end cannot be cleaned up.
void soak_run::give_up(const std::string& why) {
  violated(why);
  report();
  std::fflush(stdout);
  std::_Exit(EXIT_FAILURE);
}

void soak_run::report_progress() const {
  fmt::print("round {}: {} commands in {:.1f} s, {}\n", round_, total_.commands, elapsed().count(),
             to_text(*last_));
  std::fflush(stdout);
}

void soak_run::report() const {
  fmt::print("\n{} commands in {:.1f} s, {} attempts, {} connections\n", total_.commands,
             elapsed().count(), total_.attempts, total_.connections);
  fmt::print("  {:<28}{:>9}\n", "ok", total_.succeeded);
  for (const auto& [code, count] : total_.failed)
    fmt::print("  {:<28}{:>9}\n", to_string(code), count);
  fmt::print("faults injected\n");
  for (const auto& [fault, count] : total_.faults)
    fmt::print("  {:<28}{:>9}\n", fault, count);
  if (warm_)
    fmt::print("after warm-up: {}\nat the end:    {}\n", to_text(*warm_), to_text(*last_));
  report_verdict();
}

void soak_run::report_verdict() const {
  if (total_.violations.empty())
    return fmt::print("all promises kept\n");
  const std::size_t told = std::min(total_.violations.size(), most_violations_told);
  for (std::size_t i = 0; i < told; ++i)
    fmt::print("{}\n", total_.violations[i]);
  fmt::print("{} VIOLATIONS; to replay that round: soak --seed {} --first-round {} "
             "--round-size {} --commands {}\n",
             total_.violations.size(), options_.seed, round_, options_.round_size,
             options_.round_size);
}

options parse(int argc, char** argv) {
  options result;
  CLI::App app{"Runs random commands against servers with random faults and checks all promises"};
  app.add_option("--seed", result.seed, "Decides everything; random if not given");
  app.add_option("--commands", result.commands, "Run at least so many commands");
  app.add_option("--minutes", result.minutes, "Run at least so long");
  app.add_option("--round-size", result.round_size,
                 "Commands between two looks at memory, descriptors and threads");
  app.add_option("--first-round", result.first_round, "Leave out the rounds before this one");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return result;
}

} // namespace

} // namespace sshexec::soak

int main(int argc, char** argv) {
  using namespace sshexec::soak;
  const options wanted = parse(argc, argv);
  fmt::print("seed {}\n", wanted.seed);
  std::fflush(stdout);
  // Many small heaps, one for each thread, would hide in their disorder what a leak takes.
  ::mallopt(M_ARENA_MAX, 1);
  return soak_run{wanted}.play() ? EXIT_SUCCESS : EXIT_FAILURE;
}
