#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/services/services.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/tracked_command.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_clock.hpp>
#include <caf/timestamp.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

/// One request on its way through a supervisor: the command, the promise to answer it, and the
/// account of its attempts and of its time. Its fields are in the order in which they matter.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): there are few at a time.
struct execution {
  using time_point = caf::actor_clock::time_point;

  enum class stage : std::uint8_t {
    /// For a connection, a channel or a retry.
    waiting,
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
            time_point now)
    : command(std::move(what)),
      caller(std::move(sender)),
      answer(std::move(promise)),
      received(now),
      phase_since(now) {}

  /// Counts the time from here on as another phase's.
  void enter(phase next, time_point now);

  /// Counts one more attempt unless one is under way.
  void begin_attempt();

  /// Takes the attempt under way back, as if it had not been made.
  void forget_attempt();

  [[nodiscard]] ssh::exec_request request() const;

  /// The time accounted for so far: the sum of all phases.
  [[nodiscard]] caf::timespan duration() const { return phase_since - received; }

  sshexec::command command;
  /// Who sent the request; nobody for an anonymous one.
  caf::actor_addr caller;
  reply<command_result> answer;
  caf::timestamp received_at = caf::make_timestamp();
  time_point received;
  stage where = stage::waiting;
  phase current_phase = phase::queue;
  time_point phase_since;
  phase_times times;
  std::uint32_t attempts = 0;
  bool attempting = false;
  bool reused_connection = false;
  /// Why it is being ended, while it is.
  setback ended_for;
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
  /// Whether its processes are hunted for over another channel, whose report is awaited.
  bool hunted = false;
  /// What that report said.
  std::optional<ssh::kill_report> report;
  /// Whether its channel ended while it was being ended.
  bool channel_ended = false;
  /// Chunks of output that its consumer has not answered yet.
  std::size_t unanswered_chunks = 0;
  /// What the channel brought, while the answer waits for something else.
  ssh::exec_outcome outcome;
  /// Input that came before the command was sent.
  std::string early_input;
  bool input_ended = false;
  /// Whether input was handed on that is not kept, so that the command cannot be run again.
  bool input_consumed = false;
  /// Senders of input who wait to send more.
  std::vector<reply<void>> feeders;
};

command_output to_output(ssh::exec_outcome& outcome);

} // namespace sshexec
