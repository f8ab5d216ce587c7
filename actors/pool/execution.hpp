#pragma once

#include "sshexec/actors/pool/command_end.hpp"
#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/services/services.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/connection.hpp"

#include <caf/actor_addr.hpp>
#include <caf/timestamp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

/// One request on its way through a supervisor: the command, the promise to answer it, and the
/// account of its attempts and of its time. Its fields are in the order in which they matter.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): there are few at a time.
struct execution {
  enum class stage : std::uint8_t {
    /// For a connection or a channel.
    waiting,
    /// For the time of its next attempt.
    delayed,
    /// Its channel is being opened.
    opening,
    /// The exec request went out.
    running,
    /// It is being ended, and its end is awaited.
    ending,
    /// It ended, but the last of its output is still with its consumer.
    delivering,
  };

  /// The parts of `phase_times`.
  enum class phase : std::uint8_t { queue, connect, run };

  execution(sshexec::command what, caf::actor_addr sender, reply<command_result> promise,
            time_point now);

  /// Changed by `command_ledger::move` alone.
  [[nodiscard]] stage where() const { return where_; }

  /// Counts the time from here on as another phase's.
  void enter(phase next, time_point now);

  /// Counts one more attempt unless one is under way.
  void begin_attempt();

  /// Takes the attempt under way back, as if it had not been made: once at most, so that a command
  /// whose channel never opens is not tried without end. False if it had been done before.
  [[nodiscard]] bool forgive_attempt();

  /// Attempts that count against the allowed ones.
  [[nodiscard]] std::uint32_t counted_attempts() const { return attempts - free_attempts; }

  [[nodiscard]] ssh::exec_request request() const;

  /// The time accounted for so far: the sum of all phases.
  [[nodiscard]] duration elapsed() const { return phase_since - received; }

  sshexec::command command;
  /// What the command reads, shared by all its attempts.
  std::shared_ptr<const std::string> stdin_data;
  /// Who sent the request; nobody for an anonymous one.
  caf::actor_addr caller;
  reply<command_result> answer;
  caf::timestamp received_at = caf::make_timestamp();
  time_point received;
  phase current_phase = phase::queue;
  time_point phase_since;
  phase_times times;
  std::uint32_t attempts = 0;
  bool attempting = false;
  bool was_forgiven = false;
  bool reused_connection = false;
  sshexec::progress progress = sshexec::progress::not_started;
  /// Whether it was given the spare channel.
  bool on_spare = false;
  /// Bytes that had arrived on the connection when the command was given to it, or, on the spare
  /// channel, sent.
  std::uint64_t heard_before = 0;
  /// Attempts that do not count against the allowed ones: one at most, on a pooled connection that
  /// turned out dead. They are told, for the server may have run the command.
  std::uint32_t free_attempts = 0;
  /// Marks the processes of a tracked command, anew for each attempt.
  std::string token;
  /// Of a tracked command, once it told it.
  std::optional<std::uint32_t> process_group;
  /// While it is being ended.
  std::optional<command_end> end;
  /// Chunks of output that its consumer has not answered yet.
  std::size_t unanswered_chunks = 0;
  /// What the channel brought, while the last of it is with the consumer.
  ssh::exec_outcome outcome;
  /// Input that came before the command was sent.
  std::string early_input;
  bool input_ended = false;
  /// Whether input was handed on that is not kept, so that the command cannot be run again.
  bool input_consumed = false;
  /// Senders of input who wait to send more.
  std::vector<reply<void>> feeders;

private:
  friend class command_ledger;

  stage where_ = stage::waiting;
};

command_output to_output(ssh::exec_outcome& outcome);

/// The answer to a command that ran to its end.
command_result to_result(const execution& x, ssh::exec_outcome outcome);

/// The payload of the error that a command is answered with.
failure describe(const execution& x, const machine& target, const setback& reason);

/// Its line in the journal.
execution_record to_record(const execution& x, const machine& target);

} // namespace sshexec
