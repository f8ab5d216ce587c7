#include "fuzz.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/failure.hpp"

#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <sstream>

using namespace sshexec;
using fuzz::require;

namespace {

bool can_be_added_to_a_clock(caf::timespan x) {
  return x.count() >= 0 && x <= longest_duration;
}

void check(const settings& x) {
  require(!validate(x), "settings that were read are valid");
  for (const auto duration : {x.connect_timeout, x.command_timeout, x.idle_timeout,
                              x.keepalive_interval, x.kill_grace, x.drain_timeout})
    require(can_be_added_to_a_clock(duration), "a duration is neither negative nor too long");
  require(std::all_of(x.retry_delays.begin(), x.retry_delays.end(), can_be_added_to_a_clock),
          "a retry's delay is neither negative nor too long");
  require(x.retry_jitter >= 0 && x.retry_jitter <= 1, "a jitter is a share");
  require(x.max_channels > 0 && x.max_queued > 0, "a limit lets something through");
  require(x.journal_format == "plain" || x.journal_format == "json", "a format is a known one");
}

} // namespace

/// A configuration file is refused for a reason, or gives settings that can be used.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream file{fuzz::to_text(data, size)};
  auto content = caf::actor_system_config::parse_config(file);
  if (!content)
    return 0;
  const auto result = read_settings(*content);
  if (result) {
    check(*result);
    return 0;
  }
  require(is(result.error(), error_code::configuration_error), "a refusal is of its kind");
  require(!to_failure(result.error()).message.empty(), "a refusal has a reason");
  return 0;
}
