#pragma once

#include "sshexec/ssh/channel_requests.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/handles.hpp"
#include "sshexec/ssh/kept_output.hpp"
#include "sshexec/ssh/output_backlog.hpp"
#include "sshexec/ssh/tracked_command.hpp"

#include <libssh/callbacks.h>

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// A session channel and the one command that it carries: opened, perhaps ahead of its command,
/// given its environment and terminal, asked to run the command, fed, listened to, until both sides
/// closed it (RFC 4254 §5 and §6).
class exec_channel {
public:
  /// The session must outlive the channel, and so must the count of its answers.
  exec_channel(ssh_session session, incoming_answers& answers);
  exec_channel(const exec_channel&) = delete;
  exec_channel& operator=(const exec_channel&) = delete;
  ~exec_channel();

  /// Whether it can still be given a command.
  [[nodiscard]] bool is_spare() const;

  /// Whether the server has not answered the request for it.
  [[nodiscard]] bool is_opening() const { return state_ == state::opening; }

  /// Gives it its command.
  void assign(exec_id id, exec_request request);

  /// Notes that the server opened it, which can be told without a look for the answer.
  void notice_open();

  /// Does all that can be done now; appends what happened to `events`.
  void advance(std::vector<connection_event>& events);

  /// Whether the channel is of no more use: closed by the server, or never opened.
  [[nodiscard]] bool ended() const { return state_ == state::ended; }

  /// Whether libssh holds more of its output back than any window that it ever granted.
  [[nodiscard]] bool holds_too_much() const;

  /// Whether something is awaited from the server that can be taken in: not while all that comes is
  /// output that has to wait for its consumer.
  [[nodiscard]] bool needs_reading() const;

  /// More input, and whether it is the end of it.
  void write(std::string data, bool end);

  /// So many bytes of output more may be told.
  void grant(std::uint64_t bytes) { backlog_.grant(bytes); }

  /// Sends a signal to the command, as soon as the server runs it.
  void signal(std::string_view name);

  /// Closes our side as soon as the protocol allows.
  void close();

  /// Closes our side and gives up what was received so far.
  exec_outcome abandon();

private:
  enum class state : std::uint8_t {
    /// The server has not answered the request for a channel.
    opening,
    /// Open, without a command.
    spare,
    /// Environment variables are being requested, one after another.
    sending_environment,
    /// The server has not answered the request for a terminal.
    requesting_terminal,
    /// The server has not answered the exec request.
    requesting_exec,
    /// The command runs; its stdin may still be on the way.
    running,
    /// Only the server's close is awaited.
    closing,
    ended,
  };

  void converse(std::vector<connection_event>& events);
  void open(std::vector<connection_event>& events);
  void opened();
  void send_environment();
  void request_terminal(std::vector<connection_event>& events);
  void request_exec(std::vector<connection_event>& events);
  void refuse(const char* reason, std::vector<connection_event>& events);
  void add_input(std::shared_ptr<const std::string> data);
  void write_input(std::vector<connection_event>& events);
  bool write_some_input();
  void tell_process_group(std::vector<connection_event>& events);
  void tell_output(std::vector<connection_event>& events);
  void tell_overrun(std::vector<connection_event>& events);
  void tell_end(std::vector<connection_event>& events);
  [[nodiscard]] connection_event last_event() const;
  /// Whether nothing more can come of it. No server has a reason to end what it was not asked for.
  [[nodiscard]] bool is_over() const;
  /// Whether the server said how; what it says after that, or after its close, does not count.
  [[nodiscard]] bool command_ended() const;
  /// Whether nothing of the output is left to be told.
  [[nodiscard]] bool output_told() const;
  [[nodiscard]] bool nothing_held_back() const;

  [[nodiscard]] std::size_t held_back() const { return held_back_[0] + held_back_[1]; }

  void send_close();

  [[nodiscard]] bool must_hold_back() const;
  void take(std::string_view data, bool is_stderr);
  void keep(std::string_view data, bool is_stderr);
  void end_tracking();
  /// Whether this is the stream on which a tracked command tells its process group: a terminal has
  /// but one.
  [[nodiscard]] bool tells_process_group(bool is_stderr) const;
  void take_held_back();
  bool take_held_back(bool is_stderr);
  exec_outcome give_up_outcome();

  static int on_data(ssh_session session, ssh_channel channel, void* data, std::uint32_t length,
                     int is_stderr, void* self);
  static void on_exit_status(ssh_session session, ssh_channel channel, int status, void* self);
  static void on_exit_signal(ssh_session session, ssh_channel channel, const char* signal, int core,
                             const char* message, const char* language, void* self);
  static void on_eof(ssh_session session, ssh_channel channel, void* self);
  static void on_close(ssh_session session, ssh_channel channel, void* self);

  ssh_session session_;
  incoming_answers& answers_;
  awaited_answer answer_;
  /// None as long as there is no command.
  std::optional<exec_id> id_;
  exec_request request_;
  exec_outcome outcome_;
  state state_ = state::opening;
  bool exec_was_sent_ = false;
  /// Our side is to be closed, if need be as soon as the channel is open.
  bool close_wanted_ = false;
  bool close_was_sent_ = false;
  /// Whether its output is not told any more, because too much of it was held back.
  bool is_overrun_ = false;
  /// Whether the owner knows all about the command that it will ever be told.
  bool told_ = false;
  bool output_ended_ = false;
  bool closed_by_server_ = false;
  std::map<std::string, std::string>::const_iterator next_variable_;

  /// What is still to be written to stdin, and how much of the first piece is.
  std::list<std::shared_ptr<const std::string>> input_;
  std::size_t input_sent_ = 0;
  bool input_complete_ = false;
  bool input_ended_ = false;
  bool input_was_wanted_ = false;

  kept_output stdout_{0};
  kept_output stderr_{0};
  output_backlog backlog_;
  std::optional<tracking_filter> tracking_;
  /// Bytes of stdout and stderr that libssh holds because there was no room for them here.
  std::array<std::size_t, 2> held_back_{};

  /// To be sent when the exec request is answered.
  std::string signal_;
  ssh_channel_callbacks_struct callbacks_{};
  channel_handle channel_;
};

} // namespace sshexec::ssh
