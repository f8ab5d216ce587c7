#include "sshexec/app/run/retry_notice.hpp"

#include "sshexec/actors/runtime/duration_text.hpp"
#include "sshexec/app/report.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <fmt/format.h>

#include <utility>

namespace sshexec::app {

namespace {

observer_actor::behavior_type notifier(observer_actor::pointer self, const executor_actor& executor,
                                       const std::vector<caf::timespan>& retry_delays) {
  self->monitor(executor);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  return {[retry_delays](const pool_event& seen) {
    if (const auto notice = retry_notice(seen, retry_delays))
      complain_at_once(*notice);
  }};
}

} // namespace

std::optional<std::string> retry_notice(const pool_event& seen,
                                        const std::vector<caf::timespan>& retry_delays) {
  if (seen.kind != pool_event_kind::connect_failed || seen.outcome != error_code::connection_error
      || seen.attempt == 0 || seen.attempt > retry_delays.size())
    return std::nullopt;
  return fmt::format("{}: {}; trying again in {} ({} of {})", seen.machine.hostname, seen.detail,
                     to_text(retry_delays[seen.attempt - 1]), seen.attempt + 1,
                     retry_delays.size() + 1);
}

void tell_retries(caf::actor_system& system, const executor_actor& executor,
                  std::vector<caf::timespan> retry_delays) {
  const observer_actor observer = system.spawn(notifier, executor, std::move(retry_delays));
  caf::anon_send(executor, subscribe_atom_v, observer);
}

} // namespace sshexec::app
