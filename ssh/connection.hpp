#pragma once

#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/carried_stream.hpp"
#include "sshexec/ssh/ciphers.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/host_key.hpp"
#include "sshexec/ssh/poller.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/ssh/secret.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sshexec::ssh {

/// The owner's name for one command on a connection.
using exec_id = std::uint64_t;

/// The owner's name for one forwarded stream on a connection.
using forward_id = std::uint64_t;

/// An address that the server is asked to connect to (RFC 4254 §7.2).
struct forward_request {
  std::string host;
  std::uint16_t port = 22;
};

/// A terminal to be asked for (RFC 4254 §6.2).
struct terminal_request {
  std::string type;
  std::uint32_t columns = 80;
  std::uint32_t rows = 24;
};

/// One command, to be run on a session channel of its own (RFC 4254 §6).
struct exec_request {
  std::string command;
  std::map<std::string, std::string> environment;
  std::optional<terminal_request> terminal;
  /// Written to the command's stdin, followed by EOF unless more input follows; null: nothing.
  /// Shared by all attempts of a command.
  std::shared_ptr<const std::string> stdin_data;
  /// More input follows by `connection::write`.
  bool stdin_open = false;
  /// Bytes kept of each of stdout and stderr, the first and the last half of them; the rest is
  /// counted and dropped.
  std::uint64_t max_output = 0;
  /// Output is told by `event::output` as it comes as well, as far as the owner grants it.
  bool streamed = false;
  /// Whether the spare channel will do. On a new channel the exec request goes out only once the
  /// server has shown that it still answers.
  bool takes_spare = true;
  /// The token of a tracked command (tracked_command.hpp).
  std::optional<std::string> tracked;
};

/// So many bytes of a streamed command's output are told before the owner grants more; the rest
/// stays with the server, as the channel's window (RFC 4254 §5.2) tells it.
inline constexpr std::uint64_t stream_window = std::uint64_t{1} << 20;

/// Whom a signal is for that is sent to a command.
enum class signal_reach : std::uint8_t {
  nobody,
  /// The shell alone, and nothing that it started: Dropbear does so.
  shell,
  /// The process group that the shell leads (OpenSSH), as far as is known of the server.
  process_group,
};

/// What a channel brought. A channel that closed with neither status nor signal tells nothing about
/// how its command ended.
struct exec_outcome {
  /// Whether the server told how the command ended.
  [[nodiscard]] bool has_ended() const { return exit_status || !exit_signal.empty(); }

  std::string stdout_data;
  std::string stderr_data;
  std::uint64_t stdout_bytes = 0;
  std::uint64_t stderr_bytes = 0;
  /// Where in the kept data those bytes are missing that were not kept; meaningless otherwise.
  std::uint64_t stdout_gap = 0;
  std::uint64_t stderr_gap = 0;
  std::optional<std::uint32_t> exit_status;
  std::string exit_signal;
  /// Whom the signals were for that it was sent before its end was told.
  signal_reach signalled = signal_reach::nobody;
  std::vector<std::string> refused_environment;
};

namespace event {

/// A socket is connected; only the handshake is left.
struct transport_connected {
  /// This process will soon have no more descriptors.
  bool descriptors_run_short = false;
};

/// Key exchange is through and the server proved to hold this key. Nothing more is sent until the
/// owner calls `authenticate`.
struct host_key_presented {
  host_key key;
};

/// The server let us in; commands may start.
struct authenticated {};

/// The exec request is on its way: from here on the command may run.
struct exec_sent {
  exec_id id = 0;
};

/// A tracked command is this process, which leads the process group of that number where the server
/// gave it one (OpenSSH does, Dropbear does not).
struct tracked {
  exec_id id = 0;
  std::uint32_t process_group = 0;
};

/// Output of a streamed command, in the order of its arrival.
struct output {
  exec_id id = 0;
  bool is_stderr = false;
  std::string data;
};

/// The owner granted so little of a streamed command's output that too much of it is held back,
/// while others on the connection must be served. From here on its output is kept, but not told.
struct output_overrun {
  exec_id id = 0;
};

/// All input given so far to a command whose stdin is open is on its way: more may be given.
struct input_wanted {
  exec_id id = 0;
};

/// The spare channel was refused by the server, or closed by either side; it holds no slot any
/// more.
struct spare_ended {
  bool refused = false;
  std::uint32_t reason = 0;
};

/// The server opened no channel for this command (RFC 4254 §5.1), or closed the spare one that was
/// taken for it before the command was sent, with reason 0; the connection is fine.
struct channel_refused {
  exec_id id = 0;
  std::uint32_t reason = 0;
};

/// The server refused the exec request, or the terminal that was to come first; the command did not
/// run.
struct exec_refused {
  exec_id id = 0;
  /// For people.
  std::string reason;
};

/// The command is over: its end and the end of its output arrived, or its channel closed without
/// them. The channel still counts on the server.
struct exec_ended {
  exec_id id = 0;
  exec_outcome outcome;
};

/// The channel's close arrived: its slot on the server is free.
struct channel_closed {
  exec_id id = 0;
};

/// The server connected to the address, and this is the stream to it. Until it is closed, the
/// connection carries it.
struct forwarded {
  forward_id id = 0;
  std::shared_ptr<carried_stream> stream;
};

/// The server does not, or cannot, connect to the address; the connection is fine.
struct forward_refused {
  forward_id id = 0;
  error reason;
};

/// A forwarded stream has ended, by either side.
struct forward_closed {
  forward_id id = 0;
};

/// The connection is over; the last event it gives. Commands that were running can be asked for
/// what they brought with `abandon`; forwarded streams have ended, for its reason.
struct lost {
  error reason;
};

} // namespace event

using connection_event
  = std::variant<event::transport_connected, event::host_key_presented, event::authenticated,
                 event::exec_sent, event::tracked, event::output, event::output_overrun,
                 event::input_wanted, event::spare_ended, event::channel_refused,
                 event::exec_refused, event::exec_ended, event::channel_closed, event::forwarded,
                 event::forward_refused, event::forward_closed, event::lost>;

/// One SSH transport and its channels, as a state machine that never blocks. It belongs to one
/// owner, who calls `advance` whenever it was notified and after each other call, and reacts to the
/// events that come back. An interface so that the owner's decisions can be tested without sockets.
class connection {
public:
  connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  /// Tells the server good-bye if there is one (RFC 4253 §11.1), without waiting.
  virtual ~connection() = default;

  /// Does all that can be done now and returns what happened, in order.
  virtual std::vector<connection_event> advance() = 0;

  /// Lets what `advance` had to say leave, which it may hold back until then: said together, it
  /// costs less.
  virtual void flush() = 0;

  /// Begins to connect to the next address as well, when the ones begun so far are slow to answer
  /// (RFC 8305 §5). False when there is none left.
  virtual bool try_next_address() = 0;

  /// Goes on after `host_key_presented`.
  virtual void authenticate() = 0;

  /// Runs a command on the spare channel if there is one, be it open or still being opened, and the
  /// request takes it; else on a new one.
  virtual void start(exec_id id, exec_request request) = 0;

  /// Opens a channel ahead of the next command, to save it that round trip. There is at most one.
  virtual void open_spare() = 0;

  /// Closes the spare channel; `spare_ended` follows.
  virtual void close_spare() = 0;

  /// More input for a command whose stdin is open, and whether it is the end of it.
  virtual void write(exec_id id, std::string data, bool end) = 0;

  /// The owner has no more use for so many bytes of the output that it was told, and can be told as
  /// many more.
  virtual void grant(exec_id id, std::uint64_t bytes) = 0;

  /// Sends a signal to a command whose end has not been told, by its name without "SIG" (RFC 4254
  /// §6.9).
  virtual void signal(exec_id id, std::string_view name) = 0;

  /// Closes a command's channel and returns what it brought so far. Only `channel_closed` still
  /// follows, when the server closes its side.
  virtual exec_outcome abandon(exec_id id) = 0;

  /// Asks the server for a stream to an address; `forwarded` or `forward_refused` follows.
  virtual void forward(forward_id id, forward_request request) = 0;

  /// Sends a request that any server answers in some way (keepalive@openssh.com).
  virtual void send_keepalive() = 0;

  /// False while nothing is read, because only the owner's grant can make room for what arrives.
  /// The peer may be alive then, although nothing is heard of it.
  [[nodiscard]] virtual bool is_reading() const = 0;

  /// Whether the peer has not answered the request for a channel.
  [[nodiscard]] virtual bool is_opening_channel() const = 0;

  /// Whether the server was given the password and has not accepted it. Known until the connection
  /// goes, behind its end, too: another attempt would say a password again that may be wrong.
  [[nodiscard]] virtual bool has_password_in_doubt() const { return false; }

  /// Bytes that ever arrived: a peer is alive while this grows.
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
};

/// What a connection needs to come about.
struct connection_settings {
  /// To be tried in this order; not empty, but with a `carrier`.
  std::vector<address> addresses;
  /// The stream to speak on, if it is not a TCP connection to one of `addresses`.
  std::shared_ptr<carried_stream> carrier = {};
  std::string username;
  /// To be offered in this order.
  private_keys keys;
  /// Sockets of SSH agents whose keys are offered after these.
  std::vector<std::string> agents;
  /// Given to a server that asks for it behind these, once; empty: none.
  secret password = {};
  /// Keys and agents that cannot be used, and why: told when the login is refused.
  std::string passed_over = {};
  /// Not to be offered.
  cipher_families ciphers_left_out = {};
  /// Host key algorithms to prefer, because keys of these types are known.
  std::vector<std::string> preferred_host_key_types;
  /// Once unacknowledged for this long, sent data means that the peer is gone (TCP_USER_TIMEOUT).
  std::chrono::milliseconds peer_timeout{30'000};
};

/// Makes connections: the seam at which a test puts its own.
using connection_factory = std::function<std::unique_ptr<connection>(
  connection_settings settings, poller::notify_function notify)>;

/// Connections over real sockets watched by `sockets`, which every connection keeps alive.
connection_factory make_connection_factory(std::shared_ptr<poller> sockets);

} // namespace sshexec::ssh
