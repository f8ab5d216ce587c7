#include "modes.hpp"

#include "pool.hpp"
#include "usage.hpp"
#include "work.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

namespace sshexec::bench {

namespace {

command command_of(const options& x) {
  command result;
  result.line = x.line;
  result.timeout = std::chrono::hours{1};
  return result;
}

bool connect(pool& where, const std::vector<machine>& targets, const options& x) {
  return do_work(where, {targets, command_of(x), targets.size(), x.concurrency}).failures == 0;
}

void print(const options& x, const outcome& result, const usage& used) {
  const auto count = static_cast<double>(result.milliseconds.size());
  std::printf("sshexec %s n=%.0f %.0f/s p50=%.2fms p99=%.2fms wall=%.2fs cpu=%.1fus/command "
              "switches=%.1f/command\n",
              x.mode.c_str(), count, count / result.seconds, result.percentile(50),
              result.percentile(99), result.seconds, static_cast<double>(used.cpu.count()) / count,
              static_cast<double>(used.context_switches) / count);
}

} // namespace

bool run_commands(const options& x, std::size_t concurrency) {
  pool pool{x};
  const auto machines = targets(x, 1);
  if (!connect(pool, machines, x))
    return false;
  const usage before = usage_now();
  const outcome result = do_work(pool, {machines, command_of(x), x.commands, concurrency});
  print(x, result, usage_now() - before);
  return result.failures == 0;
}

bool fan_out(const options& x) {
  pool pool{x};
  const usage before = usage_now();
  const outcome result
    = do_work(pool, {targets(x, x.machines), command_of(x), x.machines, x.concurrency});
  print(x, result, usage_now() - before);
  return result.failures == 0;
}

bool weigh_idle(const options& x) {
  pool pool{x};
  // What the first machines bring along (buffers, threads, tables) is not theirs.
  auto machines = targets(x, x.machines + 100);
  const std::vector<machine> first{machines.end() - 100, machines.end()};
  machines.resize(x.machines);
  if (!connect(pool, first, x))
    return false;
  const std::int64_t before = private_memory();
  if (!connect(pool, machines, x))
    return false;
  const std::int64_t after = private_memory();
  std::printf("sshexec memory m=%zu %.1fKB/machine total=%.1fMB\n", x.machines,
              static_cast<double>(after - before) / 1024 / static_cast<double>(x.machines),
              static_cast<double>(after) / 1024 / 1024);
  return true;
}

bool watch_idle(const options& x) {
  pool pool{x};
  if (!connect(pool, targets(x, x.machines), x))
    return false;
  // What the last commands left to do: channels that close, and one tick of each machine's timers,
  // which finds nothing due.
  std::this_thread::sleep_for(settings{}.connect_timeout + std::chrono::seconds{2});
  const usage before = usage_of_other_threads();
  std::this_thread::sleep_for(std::chrono::seconds{x.seconds});
  const usage used = usage_of_other_threads() - before;
  const auto seconds = static_cast<double>(x.seconds);
  std::printf("sshexec idle m=%zu switches=%.2f/s cpu=%.3f%%\n", x.machines,
              static_cast<double>(used.context_switches) / seconds,
              static_cast<double>(used.cpu.count()) / seconds / 1e4);
  return true;
}

bool stream(const options& x) {
  pool pool{x};
  const auto machines = targets(x, 1);
  options first = x;
  first.line = "true";
  if (!connect(pool, machines, first))
    return false;
  std::atomic<std::uint64_t> bytes = 0;
  command what = command_of(x);
  what.max_output = 0;
  what.output_to
    = pool.system.spawn([&bytes](output_consumer::pointer) -> output_consumer::behavior_type {
        return {[&bytes](const output_chunk& chunk) { bytes += chunk.data.size(); }};
      });
  const usage before = usage_now();
  const outcome result = do_work(pool, {machines, what, 1, 1});
  const usage used = usage_now() - before;
  caf::anon_send_exit(what.output_to, caf::exit_reason::user_shutdown);
  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::printf("sshexec stream bytes=%llu %.1fMB/s wall=%.2fs cpu=%.2fs\n",
              static_cast<unsigned long long>(bytes.load()), megabytes / result.seconds,
              result.seconds, std::chrono::duration<double>{used.cpu}.count());
  return result.failures == 0 && bytes > 0;
}

} // namespace sshexec::bench
