#include "work.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace sshexec::bench {

namespace {

using clock_type = std::chrono::steady_clock;

struct progress_of_work {
  const work& what;
  executor_actor executor;
  outcome so_far;
  std::size_t sent = 0;
};

void send_next(caf::event_based_actor* self, progress_of_work& x) {
  if (x.sent == x.what.total)
    return;
  const machine& target = x.what.targets[x.sent++ % x.what.targets.size()];
  const auto start = clock_type::now();
  self->request(x.executor, caf::infinite, execute_atom_v, target, x.what.what)
    .then(
      [self, &x, start](const command_result& result) {
        const std::chrono::duration<double, std::milli> taken = clock_type::now() - start;
        x.so_far.milliseconds.push_back(taken.count());
        if (result.exit_code != 0) {
          std::fprintf(stderr, "exit code %d\n", result.exit_code);
          ++x.so_far.failures;
        }
        send_next(self, x);
      },
      [self, &x](const caf::error& error) {
        std::fprintf(stderr, "%s\n", to_failure(error).message.c_str());
        ++x.so_far.failures;
        send_next(self, x);
      });
}

} // namespace

double outcome::percentile(std::size_t percent) const {
  if (milliseconds.empty())
    return 0;
  return milliseconds[std::min(milliseconds.size() - 1, milliseconds.size() * percent / 100)];
}

outcome do_work(pool& where, const work& what) {
  progress_of_work x{what, where.executor, {}};
  const auto start = clock_type::now();
  // Without a behavior, the actor ends with its last answer.
  const auto driver = where.system.spawn([&x](caf::event_based_actor* self) {
    for (std::size_t i = 0; i < x.what.concurrency; ++i)
      send_next(self, x);
  });
  caf::scoped_actor self{where.system};
  self->wait_for(driver);
  x.so_far.seconds = std::chrono::duration<double>{clock_type::now() - start}.count();
  std::sort(x.so_far.milliseconds.begin(), x.so_far.milliseconds.end());
  return std::move(x.so_far);
}

} // namespace sshexec::bench
