#include "sshexec/actors/runtime/duration_text.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

namespace sshexec {

namespace {

using namespace std::chrono;

/// From here on three digits are rounded up to the next unit.
constexpr double nearly_a_thousand = 999.5;
constexpr auto nearly_a_minute = milliseconds{59'950};

std::string to_parts(seconds rest) {
  constexpr std::array<std::pair<seconds, const char*>, 3> units{
    {{hours{1}, "h"}, {minutes{1}, "min"}, {seconds{1}, "s"}}};
  std::string result;
  for (const auto& [unit, name] : units) {
    if (rest >= unit)
      result += fmt::format("{}{}{}", result.empty() ? "" : " ", rest / unit, name);
    rest %= unit;
  }
  return result;
}

} // namespace

std::string to_text(caf::timespan duration) {
  if (duration < caf::timespan{0})
    return '-' + to_text(-duration);
  if (duration == caf::timespan{0})
    return "0s";
  if (duration >= nearly_a_minute)
    return to_parts(round<seconds>(duration));
  auto count = static_cast<double>(duration.count());
  for (const char* unit : {"ns", "us", "ms"}) {
    if (count < nearly_a_thousand)
      return fmt::format("{:.3g}{}", count, unit);
    count /= 1000;
  }
  return fmt::format("{:.3g}s", count);
}

} // namespace sshexec
