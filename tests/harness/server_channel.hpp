#pragma once

#include "sshexec/ssh/handles.hpp"
#include "sshexec/testing/gates.hpp"
#include "sshexec/testing/scripts.hpp"
#include "sshexec/testing/server_record.hpp"
#include "sshexec/testing/shell_process.hpp"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sshexec::testing {

struct message_deleter {
  void operator()(ssh_message message) const { ssh_message_free(message); }
};

/// A request of the client. Forgotten without an answer when it goes.
using message_handle = std::unique_ptr<std::remove_pointer_t<ssh_message>, message_deleter>;

/// A connection as its channels see it.
struct connection_context {
  unsigned number;
  server_record& record;
  const gates& open_gates;
  const std::function<command_script(const std::string&)>& commands;
  /// Something was done, so that there may be more to do at once.
  bool progress = false;
  /// Set once, by whatever breaks the connection first.
  std::optional<step::break_connection> broken = {};

  void note(event what, unsigned channel = 0, std::string detail = {}) const {
    record.add({what, number, channel, std::move(detail)});
  }
};

/// A session channel that plays the script of its command. Used on its connection's thread only.
class server_channel {
public:
  /// Takes a channel that was just opened.
  server_channel(ssh_channel channel, unsigned number, bool accepts_environment,
                 connection_context& context);
  server_channel(const server_channel&) = delete;
  server_channel& operator=(const server_channel&) = delete;
  ~server_channel();

  [[nodiscard]] unsigned number() const { return number_; }

  [[nodiscard]] bool is(ssh_channel channel) const { return channel_.get() == channel; }

  /// Takes a channel request (RFC 4254 §5.4). A command's is answered by `advance`.
  void handle(message_handle request);

  /// Takes all steps that can be taken now; `may_write` unless libssh has more to send than the
  /// socket takes.
  void advance(bool may_write);

  /// Whether the client takes more than it did at the last advance, of which nobody else tells.
  [[nodiscard]] bool has_more_room() const;

  /// Adds the descriptors that lead to a next step.
  void await(std::vector<pollfd>& descriptors, bool may_write) const;

  /// When to advance even if no descriptor is ready.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const;

  /// Both sides have closed it.
  [[nodiscard]] bool closed() const { return closed_by_client_ && closed_by_us_; }

  /// Leaves the channel to libssh, which frees those of a connection that it disconnects.
  void forget();

private:
  /// One of the two ways to the client. Each may send one packet at each advance, so that all share
  /// the connection.
  struct stream {
    bool is_stderr;
    bool may_write = false;
    /// How much of the current data is sent.
    std::size_t sent = 0;
    /// What was read from a process and is not sent yet.
    std::string data = {};
  };

  void set_variable(ssh_message request);
  void answer_exec();
  bool play(const std::vector<command_step>& steps);
  void react_to_signals();
  void react_to(const std::string& signal);
  void close();

  // Each tells whether the step is done.
  bool take(const step::out& x) { return send(stdout_, x.data); }

  bool take(const step::err& x) { return send(stderr_, x.data); }

  bool take(const step::flood&);

  bool take(const step::wait_for& x) { return context_.open_gates.is_open(x.gate); }

  bool take(const step::pause& x);
  bool take(const step::run_shell& x);
  bool take(const step::exit_status& x);
  bool take(const step::exit_signal& x);
  bool take(const step::eof&);
  bool take(const step::close&);
  bool take(const step::break_connection& x);

  bool start_shell(const std::string& line);
  void feed_shell();
  bool read_input();
  void forward(ssh::file_descriptor& pipe, stream& to);
  void report_end();

  bool send(stream& to, std::string_view data);
  [[nodiscard]] std::size_t room(const stream& to) const;

  static int on_data(ssh_session, ssh_channel, void*, std::uint32_t, int, void* self);
  static void on_eof(ssh_session, ssh_channel, void* self);
  static void on_signal(ssh_session, ssh_channel, const char* name, void* self);
  static void on_close(ssh_session, ssh_channel, void* self);

  connection_context& context_;
  const unsigned number_;
  const bool accepts_environment_;
  ssh::channel_handle channel_;
  ssh_channel_callbacks_struct callbacks_{};
  std::map<std::string, std::string> environment_;

  command_script script_;
  message_handle unanswered_exec_;
  bool running_ = false;
  std::size_t next_step_ = 0;
  std::optional<std::chrono::steady_clock::time_point> pause_end_;
  std::vector<std::string> signals_;

  std::uint32_t window_ = 0;
  stream stdout_{.is_stderr = false};
  stream stderr_{.is_stderr = true};

  std::optional<shell_process> shell_;
  std::string input_;
  bool end_reported_ = false;

  bool closing_ = false;
  bool closed_by_us_ = false;
  bool closed_by_client_ = false;
};

} // namespace sshexec::testing
