#pragma once

#include "sshexec/messages/command_result.hpp"
#include "sshexec/messages/error_code.hpp"
#include "sshexec/messages/machine.hpp"

#include <caf/error.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

/// How far a failed command got; `finished` when the end of the command arrived, but not all of its
/// output.
/// Only `not_started` makes it safe to run a command again that must not run twice.
enum class progress : std::uint8_t { not_started, may_have_run, finished };

/// What became of a connection, in a `connection_error`.
enum class connection_fault : std::uint8_t {
  none,
  name_not_found,
  refused,
  unreachable,
  timed_out,
  dropped,
  protocol,
};

/// What became of the remote process of a command that was ended before it ended by itself.
enum class termination : std::uint8_t {
  /// Nothing had to be ended.
  none,
  /// All processes of a tracked command were seen to be gone.
  killed,
  /// It was sent signals, and the server told the end of its shell. What left its process group may
  /// live on, unseen.
  signalled,
  /// Processes of a tracked command were seen to live on.
  survivors,
  /// Nothing was seen to end, or more than its shell may still run.
  unknown,
};

std::string to_string(progress x);
std::string to_string(connection_fault x);
std::string to_string(termination x);

/// The payload of every error that the executor answers with.
struct failure {
  /// That of the error which carries it.
  error_code code = error_code::none;
  /// For people: what happened, to whom, after how many attempts. If the request was about a
  /// machine, it begins with `machine` and ": ".
  std::string message;
  /// The machine as "user@host:port"; empty if the request was about none, such as one for the
  /// status.
  std::string machine;
  /// `command::id`, or the one that was made; empty if the request was about no command.
  std::string request_id;
  connection_fault fault = connection_fault::none;
  sshexec::progress progress = sshexec::progress::not_started;
  sshexec::termination termination = sshexec::termination::none;
  std::uint32_t attempts = 0;
  /// What arrived before the failure.
  command_output output;
  phase_times times;
  caf::timespan duration{0};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, failure& x) {
  return f(caf::meta::type_name("failure"), x.code, x.message, x.machine, x.request_id, x.fault,
           x.progress, x.termination, x.attempts, x.output, x.times, x.duration);
}

bool operator==(const failure& a, const failure& b);

/// An error of the category "sshexec" that carries `what` across the network.
caf::error make_failure(error_code code, failure what);

/// Names the machine that a request was about, in front of the message; a failure that names one
/// already stays as it is. All that is answered to a request about a machine goes through here.
failure about(const machine& target, failure what);
failure about(const machine& target, std::string message);

/// The same for an error of the category "sshexec", and for one by which CAF says that the executor
/// has ended. Any other one stays as it is.
caf::error about(const machine& target, caf::error reason);

/// The payload of an error made by `make_failure`. A request to an executor that has ended is
/// answered by CAF itself: that is `shutting_down`. Of any other error the `failure` holds nothing
/// but its rendered text.
failure to_failure(const caf::error& err);

/// The same for the code alone; `none` for no error, and for one that says nothing of sshexec.
error_code code_of(const caf::error& err);

/// Whether `err` is of the category "sshexec" and has this code.
bool is(const caf::error& err, error_code code);

} // namespace sshexec
