#pragma once

#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/handles.hpp"

#include <libssh/callbacks.h>

#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// One command on a session channel of its own: opened, given its environment, asked to run the
/// command, fed, listened to, until both sides closed it (RFC 4254 §5 and §6).
class exec_channel {
public:
  /// The session must outlive the channel.
  exec_channel(ssh_session session, exec_id id, exec_request request);
  exec_channel(const exec_channel&) = delete;
  exec_channel& operator=(const exec_channel&) = delete;
  ~exec_channel();

  /// Does all that can be done now; appends what happened to `events`.
  void advance(std::vector<connection_event>& events);

  /// Whether the channel is of no more use: closed by the server, or never opened.
  [[nodiscard]] bool ended() const { return state_ == state::ended; }

  /// Sends a signal to the command, as soon as the server runs it.
  void signal(std::string_view name);

  /// Closes our side as soon as the protocol allows and gives up what was received so far.
  exec_outcome abandon();

private:
  enum class state : std::uint8_t {
    /// The server has not answered the request for a channel.
    opening,
    /// Environment variables are being requested, one after another.
    sending_environment,
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
  void send_environment();
  void request_exec(std::vector<connection_event>& events);
  void write_stdin();
  void tell_end(std::vector<connection_event>& events);
  /// Whether the server said how; what it says after that, or after its close, does not count.
  [[nodiscard]] bool command_ended() const;
  void close();

  static int on_data(ssh_session session, ssh_channel channel, void* data, std::uint32_t length,
                     int is_stderr, void* self);
  static void on_exit_status(ssh_session session, ssh_channel channel, int status, void* self);
  static void on_exit_signal(ssh_session session, ssh_channel channel, const char* signal, int core,
                             const char* message, const char* language, void* self);
  static void on_eof(ssh_session session, ssh_channel channel, void* self);
  static void on_close(ssh_session session, ssh_channel channel, void* self);

  ssh_session session_;
  exec_id id_;
  exec_request request_;
  exec_outcome outcome_;
  state state_ = state::opening;
  bool exec_was_sent_ = false;
  bool abandoned_ = false;
  /// Whether the owner knows all about the command that it will ever be told.
  bool told_ = false;
  bool output_ended_ = false;
  bool closed_by_server_ = false;
  std::map<std::string, std::string>::const_iterator next_variable_;
  std::size_t stdin_sent_ = 0;
  bool stdin_ended_ = false;
  /// To be sent when the exec request is answered.
  std::string signal_;
  ssh_channel_callbacks_struct callbacks_{};
  channel_handle channel_;
};

} // namespace sshexec::ssh
