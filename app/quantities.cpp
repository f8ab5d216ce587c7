#include "sshexec/app/quantities.hpp"

#include "sshexec/actors/settings.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;

} // namespace

tl::expected<caf::timespan, std::string> parse_duration(const std::string& text) {
  static const std::map<std::string, double> seconds_by_unit
    = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const auto unit = seconds_by_unit.find(std::string{stop, end});
  const failed complaint{"'" + text + "' is no duration such as 500ms, 30s, 5m, 2h or 1d"};
  if (error == std::errc{} && stop == end)
    return number == 0 ? tl::expected<caf::timespan, std::string>{0}
                       : failed{"'" + text + "' has no unit: write " + text + "s for seconds"};
  if (error != std::errc{} || unit == seconds_by_unit.end())
    return complaint;
  const double nanoseconds = number * unit->second * 1e9;
  constexpr auto longest = static_cast<double>(longest_duration.count());
  if (!(nanoseconds >= 0))
    return complaint;
  if (nanoseconds > longest)
    return failed{"'" + text + "' is longer than a year"};
  return caf::timespan{std::llround(nanoseconds)};
}

tl::expected<caf::timespan, std::string> parse_limit(const std::string& text) {
  if (text == "none")
    return longest_duration;
  auto limit = parse_duration(text);
  if (limit && limit->count() == 0)
    limit = longest_duration;
  return limit;
}

tl::expected<std::uint64_t, std::string> parse_size(const std::string& text) {
  static const std::map<std::string, unsigned> shift_by_unit
    = {{"", 0}, {"K", 10}, {"M", 20}, {"G", 30}};
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const auto unit = shift_by_unit.find(std::string{stop, end});
  const bool fits = unit != shift_by_unit.end()
                    && number <= std::numeric_limits<std::uint64_t>::max() >> unit->second;
  if (error != std::errc{} || !fits)
    return failed{"'" + text + "' is no size such as 65536, 64K or 16M"};
  return number << unit->second;
}

} // namespace sshexec::app
