#include "sshexec/app/rollout/progress_line.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace sshexec::app {

namespace {

std::string time_in_words(double seconds) {
  if (seconds < 60)
    return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 3600)
    return fmt::format("{:.0f} min", std::ceil(seconds / 60));
  return fmt::format("{:.1f} h", seconds / 3600);
}

} // namespace

std::string progress_line(const rollout_progress& now, caf::timespan elapsed, std::size_t width) {
  const auto failed = now.ended_otherwise + now.failed;
  const auto served = now.succeeded + failed;
  const auto running = now.running.size();
  const auto waiting = now.all - served - now.never_started - running;
  std::string line = fmt::format("{} done, {} failed, {} running, {} waiting", now.succeeded,
                                 failed, running, waiting);
  if (now.paused)
    line += ", paused";
  const double seconds = std::chrono::duration<double>{elapsed}.count();
  if (served > 0 && seconds > 0) {
    const double rate = static_cast<double>(served) / seconds;
    line += fmt::format("; {:.1f}/s, {} left", rate,
                        time_in_words(static_cast<double>(running + waiting) / rate));
  }
  return line.substr(0, width);
}

} // namespace sshexec::app
