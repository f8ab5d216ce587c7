#include "sshexec/ssh/exec_channel.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Written to stdin in one go: a few packets, so that what a slow connection does not take is left
/// where it is.
constexpr std::size_t max_write = std::size_t{128} << 10;

/// Read at once of what libssh held back.
constexpr std::size_t read_size = std::size_t{32} << 10;

/// More than libssh's own window of 1.28 MB, which it opens anew for each stream that has little
/// left to be read, whatever the other one holds.
constexpr std::size_t max_held_back = std::size_t{4} << 20;

/// While neighbours need the connection, it is read on, and a server that sends on both streams may
/// fill libssh's memory in spite of the window; a channel that holds so much is given up for them.
constexpr std::size_t most_held_back = std::size_t{64} << 20;

/// How Dropbear's identification begins.
constexpr std::string_view dropbear = "SSH-2.0-dropbear";

/// Without modes, so that the command's terminal has its server's own. libssh since 0.11 sends
/// those of this process's stdin otherwise: a tool's raw terminal, or none of a hub's.
int request_pty(ssh_channel channel, const terminal_request& wanted) {
  const auto columns = static_cast<int>(wanted.columns);
  const auto rows = static_cast<int>(wanted.rows);
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
  // RFC 4254 §8: TTY_OP_END.
  constexpr unsigned char no_modes = 0;
  return ssh_channel_request_pty_size_modes(channel, wanted.type.c_str(), columns, rows, &no_modes,
                                            1);
#else
  return ssh_channel_request_pty_size(channel, wanted.type.c_str(), columns, rows);
#endif
}

/// A server is known by what it says first (RFC 4253 §4.2).
signal_reach reach_of_signals(ssh_session session) {
  const char* const banner = ssh_get_serverbanner(session);
  const bool is_dropbear = banner != nullptr && std::string_view{banner}.starts_with(dropbear);
  return is_dropbear ? signal_reach::shell : signal_reach::process_group;
}

} // namespace

exec_channel::exec_channel(ssh_session session, incoming_answers& answers)
  : session_(session), answers_(answers), answer_(answers), channel_(ssh_channel_new(session)) {
  callbacks_.userdata = this;
  callbacks_.channel_data_function = on_data;
  callbacks_.channel_exit_status_function = on_exit_status;
  callbacks_.channel_exit_signal_function = on_exit_signal;
  callbacks_.channel_eof_function = on_eof;
  callbacks_.channel_close_function = on_close;
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_.get(), &callbacks_);
}

exec_channel::~exec_channel() {
  ssh_remove_channel_callbacks(channel_.get(), &callbacks_);
}

bool exec_channel::is_spare() const {
  return !id_ && !close_wanted_ && !is_over() && state_ != state::ended;
}

void exec_channel::assign(exec_id id, exec_request request) {
  id_ = id;
  request_ = std::move(request);
  next_variable_ = request_.environment.begin();
  stdout_ = kept_output{request_.max_output};
  stderr_ = kept_output{request_.max_output};
  if (request_.tracked) {
    request_.command = wrap_tracked(request_.command, *request_.tracked);
    tracking_.emplace(*request_.tracked);
  }
  add_input(std::move(request_.stdin_data));
  input_complete_ = !request_.stdin_open;
  if (state_ == state::spare)
    state_ = state::sending_environment;
}

void exec_channel::advance(std::vector<connection_event>& events) {
  if (is_usable(session_))
    converse(events);
  tell_process_group(events);
  tell_output(events);
  tell_overrun(events);
  tell_end(events);
}

void exec_channel::converse(std::vector<connection_event>& events) {
  if (state_ == state::opening)
    open(events);
  if (state_ == state::sending_environment)
    send_environment();
  if (state_ == state::requesting_terminal)
    request_terminal(events);
  if (state_ == state::requesting_exec)
    request_exec(events);
  // Input needs no answer to what was sent ahead of it, and saves a round trip so.
  if (state_ == state::requesting_exec || state_ == state::running)
    write_input(events);
  if (state_ == state::closing)
    send_close();
}

void exec_channel::tell_process_group(std::vector<connection_event>& events) {
  if (!tracking_ || told_)
    return;
  if (const auto group = tracking_->process_group()) {
    tracking_.reset();
    events.emplace_back(event::tracked{*id_, *group});
  } else if (is_over() && nothing_held_back()) {
    end_tracking();
  }
}

void exec_channel::tell_output(std::vector<connection_event>& events) {
  if (told_ || !request_.streamed)
    return;
  backlog_.tell(*id_, events);
  if (!backlog_.empty() || backlog_.full())
    return;
  take_held_back();
  backlog_.tell(*id_, events);
}

void exec_channel::tell_overrun(std::vector<connection_event>& events) {
  if (told_ || is_overrun_ || held_back() <= most_held_back)
    return;
  is_overrun_ = true;
  backlog_ = {};
  take_held_back();
  events.emplace_back(event::output_overrun{*id_});
}

void exec_channel::tell_end(std::vector<connection_event>& events) {
  if (state_ == state::ended)
    return;
  if (!is_over() || !output_told())
    return;
  if (exec_was_sent_ && !std::exchange(told_, true))
    events.emplace_back(event::exec_ended{*id_, give_up_outcome()});
  close();
  if (closed_by_server_ && (close_was_sent_ || !is_usable(session_))) {
    state_ = state::ended;
    events.push_back(last_event());
  }
}

connection_event exec_channel::last_event() const {
  if (!id_)
    return event::spare_ended{};
  if (!exec_was_sent_ && !told_)
    return event::channel_refused{*id_};
  return event::channel_closed{*id_};
}

void exec_channel::notice_open() {
  if (state_ != state::opening || ssh_channel_is_open(channel_.get()) == 0)
    return;
  answer_.came();
  opened();
}

void exec_channel::opened() {
  state_ = id_ ? state::sending_environment : state::spare;
  if (close_wanted_)
    close();
}

void exec_channel::open(std::vector<connection_event>& events) {
  const int status
    = answer_.ask_for_channel([this] { return ssh_channel_open_session(channel_.get()); });
  if (status == SSH_OK) {
    opened();
  } else if (status == SSH_ERROR && is_usable(session_)) {
    state_ = state::ended;
    const std::uint32_t reason = refusal_of(answer_.channel(), session_).reason;
    if (id_)
      events.emplace_back(event::channel_refused{*id_, reason});
    else
      events.emplace_back(event::spare_ended{true, reason});
  }
}

void exec_channel::send_environment() {
  for (; next_variable_ != request_.environment.end(); ++next_variable_) {
    const auto& [name, value] = *next_variable_;
    const int status = answer_.ask([this, &name = name, &value = value] {
      return ssh_channel_request_env(channel_.get(), name.c_str(), value.c_str());
    });
    if (status == SSH_AGAIN || !is_usable(session_))
      return;
    if (status == SSH_ERROR)
      outcome_.refused_environment.push_back(name);
  }
  state_ = request_.terminal ? state::requesting_terminal : state::requesting_exec;
}

void exec_channel::request_terminal(std::vector<connection_event>& events) {
  const terminal_request& wanted = *request_.terminal;
  const int status = answer_.ask([this, &wanted] { return request_pty(channel_.get(), wanted); });
  if (status == SSH_OK)
    state_ = state::requesting_exec;
  else if (status == SSH_ERROR && is_usable(session_))
    refuse("the server refused a terminal", events);
}

void exec_channel::request_exec(std::vector<connection_event>& events) {
  if (!std::exchange(exec_was_sent_, true))
    events.emplace_back(event::exec_sent{*id_});
  const int status = answer_.ask(
    [this] { return ssh_channel_request_exec(channel_.get(), request_.command.c_str()); });
  if (status == SSH_OK) {
    state_ = state::running;
    if (!signal_.empty())
      signal(signal_);
  } else if (status == SSH_ERROR && is_usable(session_)) {
    refuse("the server refused to run the command", events);
  }
}

void exec_channel::refuse(const char* reason, std::vector<connection_event>& events) {
  told_ = true;
  events.emplace_back(event::exec_refused{*id_, reason});
  close();
}

void exec_channel::write(std::string data, bool end) {
  if (input_complete_)
    return;
  add_input(std::make_shared<const std::string>(std::move(data)));
  input_complete_ = end;
  input_was_wanted_ = false;
}

void exec_channel::add_input(std::shared_ptr<const std::string> data) {
  if (data && !data->empty())
    input_.push_back(std::move(data));
}

void exec_channel::write_input(std::vector<connection_event>& events) {
  if (input_ended_ || closed_by_server_)
    return;
  while (!input_.empty() && write_some_input()) {
  }
  if (!input_.empty())
    return;
  if (input_complete_) {
    input_ended_ = true;
    ssh_channel_send_eof(channel_.get());
  } else if (!input_ended_ && !std::exchange(input_was_wanted_, true)) {
    events.emplace_back(event::input_wanted{*id_});
  }
}

/// False when there is no room on the way for more.
bool exec_channel::write_some_input() {
  // libssh would keep whatever the socket does not take.
  if (ssh_blocking_flush(session_, 0) != SSH_OK)
    return false;
  const std::string_view rest = std::string_view{*input_.front()}.substr(input_sent_);
  const std::size_t length
    = std::min({rest.size(), std::size_t{ssh_channel_window_size(channel_.get())}, max_write});
  if (length == 0)
    return false;
  const int written
    = ssh_channel_write(channel_.get(), rest.data(), static_cast<std::uint32_t>(length));
  if (written < 0) {
    input_.clear();
    input_ended_ = true;
    return false;
  }
  input_sent_ += static_cast<std::size_t>(written);
  if (input_sent_ == input_.front()->size()) {
    input_.pop_front();
    input_sent_ = 0;
  }
  return written > 0;
}

void exec_channel::signal(std::string_view name) {
  signal_ = name;
  // Before the exec request was answered libssh takes no second request. What has ended is nobody's
  // any more, and a server may take the number of its process for another's.
  if (state_ != state::running || command_ended())
    return;
  if (ssh_channel_request_send_signal(channel_.get(), signal_.c_str()) == SSH_OK)
    outcome_.signalled = reach_of_signals(session_);
}

exec_outcome exec_channel::abandon() {
  told_ = true;
  take_held_back();
  end_tracking();
  backlog_ = {};
  close();
  return give_up_outcome();
}

bool exec_channel::is_over() const {
  if (!exec_was_sent_)
    return closed_by_server_ || output_ended_ || command_ended();
  // The end of the command and that of its output come in any order (RFC 4254 §6.10).
  return closed_by_server_ || (output_ended_ && command_ended());
}

bool exec_channel::command_ended() const {
  return outcome_.exit_status || !outcome_.exit_signal.empty();
}

bool exec_channel::output_told() const {
  return told_ || (backlog_.empty() && nothing_held_back());
}

bool exec_channel::nothing_held_back() const {
  return held_back_ == std::array<std::size_t, 2>{};
}

exec_outcome exec_channel::give_up_outcome() {
  outcome_.stdout_bytes = stdout_.bytes();
  outcome_.stderr_bytes = stderr_.bytes();
  outcome_.stdout_gap = stdout_.gap();
  outcome_.stderr_gap = stderr_.gap();
  outcome_.stdout_data = stdout_.take();
  outcome_.stderr_data = stderr_.take();
  return std::exchange(outcome_, {});
}

void exec_channel::close() {
  close_wanted_ = true;
  // A channel that the server is still opening can be closed only once it is open; forgotten
  // earlier, it would hold one of the server's places for ever.
  if (state_ == state::opening || state_ == state::ended)
    return;
  state_ = state::closing;
  send_close();
}

void exec_channel::send_close() {
  // It sends EOF and CLOSE; while there is other output left it does only the first of them.
  if (!close_was_sent_ && is_usable(session_))
    close_was_sent_ = ssh_channel_close(channel_.get()) == SSH_OK;
}

bool exec_channel::holds_too_much() const {
  return held_back() > max_held_back;
}

bool exec_channel::needs_reading() const {
  // A command that was sent a signal is to be seen ending.
  return state_ != state::ended && (told_ || !must_hold_back() || !signal_.empty());
}

bool exec_channel::must_hold_back() const {
  return request_.streamed && !is_overrun_ && backlog_.full();
}

void exec_channel::take(std::string_view data, bool is_stderr) {
  if (tracking_ && tells_process_group(is_stderr))
    keep(tracking_->add(data), is_stderr);
  else
    keep(data, is_stderr);
}

void exec_channel::keep(std::string_view data, bool is_stderr) {
  (is_stderr ? stderr_ : stdout_).add(data);
  if (request_.streamed && !told_ && !is_overrun_)
    backlog_.add(data, is_stderr);
}

void exec_channel::end_tracking() {
  if (tracking_)
    keep(tracking_->finish(), tells_process_group(/*is_stderr=*/true));
  tracking_.reset();
}

bool exec_channel::tells_process_group(bool is_stderr) const {
  return is_stderr == !request_.terminal;
}

/// Takes all that libssh holds, turn about, so that neither stream waits for the end of the other.
/// libssh opens the window again as soon as some of it was read, so what is left of it would grow.
void exec_channel::take_held_back() {
  while (take_held_back(/*is_stderr=*/false) | take_held_back(/*is_stderr=*/true)) {
  }
}

/// Tells whether there was anything.
bool exec_channel::take_held_back(bool is_stderr) {
  std::size_t& held = held_back_[is_stderr ? 1 : 0];
  if (held == 0)
    return false;
  std::array<char, read_size> buffer;
  const int read = ssh_channel_read_nonblocking(
    channel_.get(), buffer.data(), static_cast<std::uint32_t>(std::min(held, buffer.size())),
    is_stderr ? 1 : 0);
  if (read <= 0) {
    held = 0;
    return false;
  }
  held -= static_cast<std::size_t>(read);
  take({buffer.data(), static_cast<std::size_t>(read)}, is_stderr);
  return true;
}

int exec_channel::on_data(ssh_session, ssh_channel, void* data, std::uint32_t length, int is_stderr,
                          void* self) {
  auto& channel = *static_cast<exec_channel*>(self);
  ++channel.answers_.others;
  std::size_t& held = channel.held_back_[is_stderr != 0 ? 1 : 0];
  // What comes after its end (RFC 4254 §5.3) may as well arrive when the outcome is told already.
  if (channel.told_ || channel.output_ended_ || channel.closed_by_server_)
    return held == 0 ? static_cast<int>(length) : 0;
  if (channel.must_hold_back()) {
    held = length;
    return 0;
  }
  held = 0;
  channel.take({static_cast<const char*>(data), length}, is_stderr != 0);
  return static_cast<int>(length);
}

void exec_channel::on_exit_status(ssh_session, ssh_channel, int status, void* self) {
  auto& channel = *static_cast<exec_channel*>(self);
  ++channel.answers_.others;
  if (!channel.command_ended() && !channel.closed_by_server_)
    channel.outcome_.exit_status = static_cast<std::uint32_t>(status);
}

void exec_channel::on_exit_signal(ssh_session, ssh_channel, const char* signal, int, const char*,
                                  const char*, void* self) {
  auto& channel = *static_cast<exec_channel*>(self);
  ++channel.answers_.others;
  if (!channel.command_ended() && !channel.closed_by_server_ && signal != nullptr)
    channel.outcome_.exit_signal = signal;
}

void exec_channel::on_eof(ssh_session, ssh_channel, void* self) {
  auto& channel = *static_cast<exec_channel*>(self);
  ++channel.answers_.others;
  channel.output_ended_ = true;
}

void exec_channel::on_close(ssh_session, ssh_channel, void* self) {
  auto& channel = *static_cast<exec_channel*>(self);
  ++channel.answers_.others;
  channel.closed_by_server_ = true;
}

} // namespace sshexec::ssh
