#include "sshexec/app/rollout/portions.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sshexec::app {

tl::expected<portion, std::string> parse_portion(const std::string& text) {
  portion result;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, result.amount);
  const std::string unit{stop, end};
  result.percent = unit == "%";
  if (error != std::errc{} || (!unit.empty() && !result.percent))
    return tl::unexpected{"'" + text + "' is no number of machines such as 10 or 5%"};
  if (result.percent && result.amount > 100)
    return tl::unexpected{"'" + text + "' is more than all machines"};
  return result;
}

tl::expected<std::vector<portion>, std::string> parse_steps(const std::string& text) {
  std::vector<portion> result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    auto step = parse_portion(text.substr(begin, end - begin));
    if (!step)
      return tl::unexpected{std::move(step.error())};
    if (step->amount == 0)
      return tl::unexpected{"a step of '" + text + "' starts no machine"};
    result.push_back(*step);
    begin = end + 1;
  }
  return result;
}

std::vector<std::size_t> sizes_of_steps(const std::vector<portion>& steps, std::size_t all) {
  std::vector<std::size_t> result;
  for (std::size_t left = all; left > 0;) {
    const std::size_t wanted
      = steps.empty() ? left : rounded_up(steps[std::min(result.size(), steps.size() - 1)], all);
    const std::size_t size = std::clamp(wanted, std::size_t{1}, left);
    result.push_back(size);
    left -= size;
  }
  return result;
}

} // namespace sshexec::app
