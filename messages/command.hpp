#pragma once

#include "sshexec/messages/output_chunk.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/optional.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace sshexec {

/// Bytes of a command's input that one message may hold, and that may be kept of each of its stdout
/// and stderr: a message of CAF's networking cannot be larger than 4 GiB, and a result has two of
/// them. Streams have no bound (`stdin_open`, `output_to`).
inline constexpr std::uint64_t largest_data = std::uint64_t{1} << 30;

/// What is said about more input than that.
inline constexpr const char* too_much_input = "at most 1 GiB of input can come at once";

/// What may happen to a command whose connection was lost.
enum class retry_policy : std::uint8_t {
  /// It is run again, even if it may have run already.
  always,
  /// It is run again only if it certainly did not start.
  only_if_not_started,
  /// One attempt, whatever happens.
  never,
};

std::string to_string(retry_policy x);

/// A terminal for a command (RFC 4254 §6.2).
struct terminal {
  /// The value of TERM.
  std::string type = "xterm";
  std::uint32_t columns = 80;
  std::uint32_t rows = 24;
};

/// One shell command line with its limits.
struct command {
  /// What the login shell of the remote user runs (RFC 4254 §6.5).
  std::string line;
  /// Time to run, counted from when the command is sent; none: the executor's default.
  caf::optional<caf::timespan> timeout;
  /// Time for everything, counted from the executor's receipt: queue, connect, retries and run.
  /// None: no bound but those of the single phases.
  caf::optional<caf::timespan> deadline;
  /// Bytes kept of each of stdout and stderr, the first and the last half of them; none: the
  /// executor's default. At most `largest_data`.
  caf::optional<std::uint64_t> max_output;
  /// Sent as SSH env requests (RFC 4254 §6.4); the result names those that the server refused.
  std::map<std::string, std::string> environment;
  /// What the command reads, or the beginning of it. At most `largest_data`.
  std::string stdin_data;
  /// Whether more input follows in `input_atom` messages. Otherwise the end of input is sent behind
  /// `stdin_data`, so that no command waits for input forever.
  bool stdin_open = false;
  /// Wanted for programs that ask for a terminal. stdout and stderr are one then.
  caf::optional<sshexec::terminal> pty;
  /// Who gets the output as it comes, besides the result; nobody by default.
  output_consumer output_to;
  retry_policy retry = retry_policy::always;
  /// Starts the command through a small POSIX shell wrapper, so that its end can be enforced and
  /// verified over a second channel: where the server forwards no signals, and for processes that
  /// left the command's process group.
  bool tracked = false;
  /// Names the request, for those who cancel it or watch. Several may have the same. If it is
  /// empty, the executor makes one that no other request has; it begins with '#'.
  std::string id;
  /// Whether the command goes on when its caller has ended.
  bool outlives_caller = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, terminal& x) {
  return f(caf::meta::type_name("terminal"), x.type, x.columns, x.rows);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, command& x) {
  return f(caf::meta::type_name("command"), x.line, x.timeout, x.deadline, x.max_output,
           x.environment, x.stdin_data, x.stdin_open, x.pty, x.output_to, x.retry, x.tracked, x.id,
           x.outlives_caller);
}

bool operator==(const terminal& a, const terminal& b);

bool operator==(const command& a, const command& b);

} // namespace sshexec
