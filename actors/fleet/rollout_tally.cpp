#include "sshexec/actors/fleet/rollout_tally.hpp"

#include <algorithm>
#include <utility>

namespace sshexec {

void rollout_tally::add(const machine_outcome& x) {
  switch (x.kind) {
    case outcome_kind::ended:
      ++summary_.exit_codes[x.result.exit_code];
      ++(x.succeeded() ? summary_.succeeded : ended_otherwise_);
      break;
    case outcome_kind::failed:
      ++summary_.errors[x.code];
      ++failed_;
      break;
    case outcome_kind::never_started:
      ++summary_.never_started[x.reason];
      ++never_started_;
      break;
  }
  if (!x.succeeded())
    summary_.unsuccessful.push_back(x.index);
}

rollout_progress rollout_tally::progress() const {
  rollout_progress result;
  result.all = summary_.all;
  result.succeeded = summary_.succeeded;
  result.ended_otherwise = ended_otherwise_;
  result.failed = failed_;
  result.never_started = never_started_;
  return result;
}

rollout_summary rollout_tally::take_summary(caf::timespan duration) {
  std::sort(summary_.unsuccessful.begin(), summary_.unsuccessful.end());
  summary_.duration = duration;
  return std::move(summary_);
}

bool counts_as_failure(const machine_outcome& x, failure_rule rule) {
  switch (x.kind) {
    case outcome_kind::ended:
      return rule == failure_rule::errors_and_exit_codes && !x.succeeded();
    case outcome_kind::failed:
      return true;
    case outcome_kind::never_started:
      return false;
  }
  return false;
}

} // namespace sshexec
