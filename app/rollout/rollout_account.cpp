#include "sshexec/app/rollout/rollout_account.hpp"

#include "sshexec/actors/services/escape.hpp"
#include "sshexec/app/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace sshexec::app {

void rollout_account::add(const machine_outcome& x) {
  if (x.succeeded()) {
    ++succeeded_;
    return;
  }
  unsuccessful_[fate_of(x)].push_back(name_of(x.machine));
  if (x.kind == outcome_kind::ended) {
    ++ended_otherwise_;
    largest_code_ = std::max(largest_code_, exit_code_of(outcome{x.result}));
    return;
  }
  const bool was_started = x.kind == outcome_kind::failed;
  if (was_started ? x.code == error_code::command_timeout : x.reason == skip_reason::deadline)
    ++timed_out_;
  else if (was_started ? x.code == error_code::cancelled : x.reason == skip_reason::cancelled)
    ++cancelled_;
  else
    ++failed_otherwise_;
}

int rollout_account::exit_code(const circumstances& given) const {
  if (given.signal != 0 && (cancelled_ > 0 || given.output_was_cut))
    return exit_code_of_signal(given.signal);
  if (failed_otherwise_ + cancelled_ > 0)
    return exit_some_failed;
  if (timed_out_ > 0)
    return ended_otherwise_ == 0 ? exit_timeout : exit_some_failed;
  if (ended_otherwise_ > 0)
    return given.wants_largest ? largest_code_ : exit_some_ended_otherwise;
  return 0;
}

std::vector<std::string> rollout_account::lines(caf::timespan duration, const folding& fold) const {
  const auto all = done();
  std::vector<std::string> result;
  result.push_back(fmt::format("{} of {} machine{} succeeded in {:.1f} s", succeeded_, all,
                               all == 1 ? "" : "s",
                               std::chrono::duration<double>{duration}.count()));
  for (const auto& [what, names] : unsuccessful_)
    result.push_back(
      fmt::format("{}: {} ({})", what.text, escape_controls(fold(names)), names.size()));
  return result;
}

std::uint64_t rollout_account::unsuccessful() const {
  return ended_otherwise_ + timed_out_ + cancelled_ + failed_otherwise_;
}

} // namespace sshexec::app
