#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a `scripted_server` does, as plain values.
namespace sshexec::testing {

/// Ways in which a server breaks a connection.
enum class breakage : std::uint8_t {
  /// Holds the connection but reads and writes nothing any more.
  silence,
  /// Closes it (FIN).
  hang_up,
  /// Resets it (RST).
  reset,
  /// Takes its leave with SSH_MSG_DISCONNECT, reason 11 (RFC 4253 §11.1), and closes. Before the
  /// identification strings it sends its message as a line of text instead, as sshd(8) does when
  /// there are too many connections.
  disconnect,
};

/// How far a connection has come.
enum class phase : std::uint8_t {
  /// Accepted; nothing was sent.
  accepted,
  /// Our identification string was sent (RFC 4253 §4.2).
  banner,
  /// The client's identification string came; the key exchange stays unfinished.
  key_exchange,
  /// The client asks for an authentication and gets no answer.
  authentication,
  /// The client was told that it is authenticated.
  established,
  /// The client opens a channel and gets no answer.
  channel_open,
  /// The client requests a command and gets no answer.
  exec_request,
};

/// A connection that breaks when it reaches a phase for the first time.
struct fault {
  phase at;
  breakage how;
  /// For `breakage::disconnect`.
  std::string message = {};
};

/// Which public keys a connection accepts.
enum class accepted_keys : std::uint8_t { own_client_key, any, none };

/// A question of keyboard-interactive (RFC 4256 §3.2).
struct prompt {
  std::string text;
  bool is_echoed = false;
};

/// What the server does with one connection. As it is, it serves everything.
struct connection_script {
  std::optional<fault> breaks = {};

  /// Sent instead of an identification string; nothing follows, save a `fault` at `phase::banner`.
  std::optional<std::string> greeting = {};

  /// Any other number presents another key, the same for each number.
  unsigned host_key = 0;

  /// Offered: "publickey", "password", "keyboard-interactive", in whatever order; an unknown name
  /// ends the connection and is told in the record.
  std::vector<std::string> methods = {"publickey"};
  /// Behind each method that succeeds but the last, the next one of these is wanted as well, and no
  /// other (RFC 4252 §5.1, partial success).
  std::vector<std::string> further_methods = {};
  /// What the two methods with a password take; none: they never succeed.
  std::optional<std::string> password = {};
  /// What keyboard-interactive asks, a round of one prompt each; the password is the answer to the
  /// first, and to no other.
  std::vector<prompt> prompts = {{"Password: ", false}};
  /// Ends the connection instead of an answer to a wrong password.
  std::optional<breakage> at_wrong_password = {};
  /// Ends the connection instead of an answer to a key.
  std::optional<breakage> at_key = {};
  accepted_keys keys = accepted_keys::own_client_key;
  /// Public keys that are refused first, whatever `keys` says.
  unsigned accept_after = 0;

  /// Exchanges keys anew whenever about so many bytes went over the connection; never if 0.
  std::uint64_t rekey_after = 0;

  /// Session channels beyond this number are refused, with reason 1 (RFC 4254 §5.1), which is the
  /// only one that libssh can give. A channel counts until both sides have closed it.
  std::size_t max_channels = std::numeric_limits<std::size_t>::max();

  /// Ends the connection in this way instead of refusing such a channel, as small servers do.
  std::optional<breakage> at_surplus_channel = {};

  /// Whether environment variables (RFC 4254 §6.4) are taken, for `step::run_shell`.
  bool accepts_environment = true;
};

/// What a command can do, one after another.
namespace step {

/// Sends data, as the channel's window allows.
struct out {
  std::string data;
};

struct err {
  std::string data;
};

/// Sends zeros on stdout until the channel ends.
struct flood {};

/// Waits until the test releases the gate of that name.
struct wait_for {
  std::string gate;
};

struct pause {
  std::chrono::milliseconds time;
};

/// Runs /bin/sh -c LINE in a session of its own, with the channel as its stdin, stdout and stderr,
/// and reports its exit status or exit signal. Goes on when the process has ended and nobody holds
/// its stdout and stderr any more, as sshd(8) does. The process group is killed with the channel.
struct run_shell {
  std::string line;
};

struct exit_status {
  std::uint32_t value;
};

/// `name` without "SIG" (RFC 4254 §6.10).
struct exit_signal {
  std::string name;
  std::string message = {};
  bool core_dumped = false;
};

/// Ends stdout and stderr.
struct eof {};

/// Closes the channel, with an EOF if there was none: libssh sends no CLOSE without it.
struct close {};

/// Breaks the whole connection.
struct break_connection {
  breakage how;
  std::string message = {};
};

} // namespace step

using command_step = std::variant<step::out, step::err, step::flood, step::wait_for, step::pause,
                                  step::run_shell, step::exit_status, step::exit_signal, step::eof,
                                  step::close, step::break_connection>;

/// How a command takes a signal request (RFC 4254 §6.9).
enum class signal_reaction : std::uint8_t {
  /// `step::run_shell` passes it to its process group; every other step ends with that exit signal
  /// and a close, whatever steps were left.
  obey,
  ignore,
};

/// What the server does with one command. Nothing but `step::run_shell` reads the command's stdin,
/// so without it the client can send no more than its window takes, once. The channel stays open
/// unless a step closes it; when the client closes it, the steps that are left are not taken.
struct command_script {
  /// Whether the exec request is granted. The steps of a refused one are not taken.
  bool granted = true;
  /// Taken before the request is answered: waits, and what breaks the connection.
  std::vector<command_step> before_answer = {};
  std::vector<command_step> steps = {};
  signal_reaction on_signal = signal_reaction::obey;
};

/// Runs the line as sshd(8) would.
inline command_script run_by_shell(const std::string& line) {
  return {.steps = {step::run_shell{line}, step::eof{}, step::close{}}};
}

/// Prints and ends.
inline command_script print(const std::string& text, std::uint32_t status = 0) {
  return {.steps = {step::out{text}, step::exit_status{status}, step::eof{}, step::close{}}};
}

} // namespace sshexec::testing
