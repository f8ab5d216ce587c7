#pragma once

#include "sshexec/actors/pool/execution.hpp"
#include "sshexec/actors/pool/latency_histogram.hpp"
#include "sshexec/actors/pool/observers.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/messages/executor_status.hpp"
#include "sshexec/messages/pool_event.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace sshexec {

/// What others are told about one machine: its observers of each event, and who asks for the status
/// of what became of its commands.
class machine_activity {
public:
  explicit machine_activity(machine about = {}) : machine_(std::move(about)) {}

  /// From now on these are told.
  void observe(observer_list who) { observers_ = std::move(who); }

  /// Tells of the connection: how long its attempt or it itself lasted, and how many attempts
  /// failed in a row.
  void tell(pool_event_kind kind, duration lasted, std::uint32_t failures,
            const setback* reason = nullptr) const;

  /// Tells of a command.
  void tell(pool_event_kind kind, const execution& about, time_point now,
            error_code outcome = error_code::none, const std::string& detail = {}) const;

  /// Counts a command that was answered, and tells of it.
  void finished(const execution& about, time_point now, const command_result& answer);
  void finished(const execution& about, time_point now, error_code code, const failure& answer);

  /// The machine and the counts.
  [[nodiscard]] machine_status status() const;

  [[nodiscard]] latency_distribution latency() const { return latency_.distribution(); }

private:
  [[nodiscard]] pool_event make_event(pool_event_kind kind, const execution& about,
                                      time_point now) const;

  machine machine_;
  observer_list observers_;
  std::uint64_t succeeded_ = 0;
  std::uint64_t failed_ = 0;
  latency_histogram latency_;
};

} // namespace sshexec
