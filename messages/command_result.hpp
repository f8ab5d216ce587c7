#pragma once

#include <caf/meta/type_name.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sshexec {

/// What a command wrote, as bytes. Of a stream that is longer than the command's cap, the beginning
/// and the end are kept.
struct command_output {
  std::string stdout_data;
  std::string stderr_data;
  /// Bytes the command wrote, kept or not.
  std::uint64_t stdout_bytes = 0;
  std::uint64_t stderr_bytes = 0;
  /// Where in the kept data those bytes are missing that were not kept; meaningless otherwise.
  std::uint64_t stdout_gap = 0;
  std::uint64_t stderr_gap = 0;

  /// Whether the cap cut anything.
  [[nodiscard]] bool truncated() const {
    return stdout_bytes > stdout_data.size() || stderr_bytes > stderr_data.size();
  }
};

/// Where the time of a command went, from the executor's receipt of it to the answer.
struct phase_times {
  /// Waiting for a free channel or for a retry.
  caf::timespan queue{0};
  /// Waiting for the connection to be made.
  caf::timespan connect{0};
  /// From the exec request on its way to the end of the channel.
  caf::timespan run{0};
};

/// A command that ran to its end on the machine, whatever its exit status.
struct command_result {
  /// The exit status (RFC 4254 §6.10); -1 when a signal ended the command.
  std::int32_t exit_code = 0;
  /// The signal that ended the command, without "SIG" ("TERM", "KILL"); empty otherwise.
  std::string exit_signal;
  command_output output;
  /// From receipt to answer: the sum of all phases.
  caf::timespan duration{0};
  phase_times times;
  /// Tries it took, this one included; one more than there are retry delays, and another one where
  /// the command was sent on a pooled connection that turned out dead, at the most.
  std::uint32_t attempts = 1;
  /// Whether the connection had served before.
  bool reused_connection = false;
  /// Names of the environment variables that the server did not accept.
  std::vector<std::string> refused_environment;
  /// `command::id`, or the one that was made.
  std::string request_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, command_output& x) {
  return f(caf::meta::type_name("command_output"), x.stdout_data, x.stderr_data, x.stdout_bytes,
           x.stderr_bytes, x.stdout_gap, x.stderr_gap);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, phase_times& x) {
  return f(caf::meta::type_name("phase_times"), x.queue, x.connect, x.run);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, command_result& x) {
  return f(caf::meta::type_name("command_result"), x.exit_code, x.exit_signal, x.output, x.duration,
           x.times, x.attempts, x.reused_connection, x.refused_environment, x.request_id);
}

bool operator==(const command_output& a, const command_output& b);
bool operator==(const phase_times& a, const phase_times& b);
bool operator==(const command_result& a, const command_result& b);

} // namespace sshexec
