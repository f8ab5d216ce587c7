#pragma once

#include <caf/meta/type_name.hpp>
#include <caf/optional.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace sshexec {

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

/// One shell command line with its limits.
struct command {
  /// What the login shell of the remote user runs (RFC 4254 §6.5).
  std::string line;
  /// Time to run, counted from when the command is sent; none: the executor's default.
  caf::optional<caf::timespan> timeout;
  /// Bytes kept of each of stdout and stderr; none: the executor's default.
  caf::optional<std::uint64_t> max_output;
  /// Sent as SSH env requests (RFC 4254 §6.4); the result names those that the server refused.
  std::map<std::string, std::string> environment;
  /// What the command reads; its end is always sent, so that no command waits for input forever.
  std::string stdin_data;
  retry_policy retry = retry_policy::always;
  /// The caller's own name for the request, by which it can cancel it. May be empty.
  std::string id;
  /// Whether the command goes on when its caller has ended.
  bool outlives_caller = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, command& x) {
  return f(caf::meta::type_name("command"), x.line, x.timeout, x.max_output, x.environment,
           x.stdin_data, x.retry, x.id, x.outlives_caller);
}

bool operator==(const command& a, const command& b);

} // namespace sshexec
