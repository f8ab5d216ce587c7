#pragma once

#include "sshexec/actors/pool/breaker.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/command.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sshexec {

/// When a machine is tried again, and when it is left alone.
class retry_plan {
public:
  explicit retry_plan(const settings& config = {});

  /// From here on the delays are these (`settings::retry_delays`).
  void use_delays(std::vector<duration> delays) { delays_ = std::move(delays); }

  // -- attempts to connect -------------------------------------------------------------------

  /// An attempt to connect failed; several in a row lengthen the delay.
  void attempt_failed() { ++failures_; }

  /// The machine counts as one that never failed: it served a command, or nobody waits for it.
  void start_afresh() { failures_ = 0; }

  /// Attempts to connect that failed in a row.
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

  /// How long to wait before the next attempt to connect.
  [[nodiscard]] duration delay() const { return delay_after(failures_); }

  // -- rounds of attempts (breaker) ------------------------------------------------------------

  /// A command was given up for this reason. What says nothing about the machine is no round.
  void round_failed(const setback& reason, time_point now);

  /// The server did not accept the password. It counts the wrong ones, so the machine is left alone
  /// at once, whatever the threshold.
  void password_refused(const setback& reason, time_point now);

  void connected() { breaker_.connected(); }

  /// What failed with other credentials says nothing about the new ones.
  void credentials_changed();

  /// Why commands are to fail at once, if so.
  [[nodiscard]] std::optional<setback> objection(time_point now) const;

  // -- attempts of a command -------------------------------------------------------------------

  /// How many attempts a command may make.
  [[nodiscard]] std::uint32_t allowed_attempts(retry_policy policy) const;

  /// How long to wait after so many failed attempts, one at least.
  [[nodiscard]] duration delay_after(std::uint32_t failed) const;

private:
  std::vector<duration> delays_;
  double jitter_;
  std::uint32_t threshold_;
  duration pause_;
  breaker breaker_;
  /// Why the last round failed.
  setback last_failure_;
  bool was_password_refused_ = false;
  std::uint32_t failures_ = 0;
};

} // namespace sshexec
