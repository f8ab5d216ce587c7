#include "sshexec/ssh/exec_channel.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace sshexec::ssh {

namespace {

/// The reason code of a refused channel (RFC 4254 §5.1), which libssh tells in its error text only.
std::uint32_t refusal_reason(ssh_session session) {
  unsigned channel = 0;
  std::uint32_t reason = 0;
  // NOLINTNEXTLINE(cert-err34-c): a text without these numbers leaves the reason at 0.
  std::sscanf(ssh_get_error(session), "Channel opening failure: channel %u error (%u)", &channel,
              &reason);
  return reason;
}

void keep(std::string& kept, std::uint64_t& count, std::string_view data, std::uint64_t cap) {
  count += data.size();
  if (kept.size() < cap)
    kept += data.substr(0, static_cast<std::size_t>(cap - kept.size()));
}

} // namespace

exec_channel::exec_channel(ssh_session session, exec_id id, exec_request request)
  : session_(session),
    id_(id),
    request_(std::move(request)),
    next_variable_(request_.environment.begin()),
    channel_(ssh_channel_new(session)) {
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

void exec_channel::advance(std::vector<connection_event>& events) {
  if (state_ == state::opening)
    open(events);
  if (state_ == state::sending_environment)
    send_environment();
  if (state_ == state::requesting_exec)
    request_exec(events);
  if (state_ == state::running)
    write_stdin();
  tell_end(events);
}

void exec_channel::tell_end(std::vector<connection_event>& events) {
  if (state_ == state::ended)
    return;
  // The end of the command and that of its output come in any order (RFC 4254 §6.10).
  const bool complete = output_ended_ && (outcome_.exit_status || !outcome_.exit_signal.empty());
  if ((complete || closed_by_server_) && !std::exchange(told_, true)) {
    events.emplace_back(event::exec_ended{id_, std::move(outcome_)});
    if (!closed_by_server_)
      close();
  }
  if (closed_by_server_) {
    state_ = state::ended;
    events.emplace_back(event::channel_closed{id_});
  }
}

void exec_channel::open(std::vector<connection_event>& events) {
  const int status = ssh_channel_open_session(channel_.get());
  if (status == SSH_OK) {
    state_ = state::sending_environment;
    if (abandoned_)
      close();
  } else if (status == SSH_ERROR && is_alive(session_)) {
    state_ = state::ended;
    events.emplace_back(event::channel_refused{id_, refusal_reason(session_)});
  }
}

void exec_channel::send_environment() {
  for (; next_variable_ != request_.environment.end(); ++next_variable_) {
    const auto& [name, value] = *next_variable_;
    const int status = ssh_channel_request_env(channel_.get(), name.c_str(), value.c_str());
    if (status == SSH_AGAIN || !is_alive(session_))
      return;
    if (status == SSH_ERROR)
      outcome_.refused_environment.push_back(name);
  }
  state_ = state::requesting_exec;
}

void exec_channel::request_exec(std::vector<connection_event>& events) {
  if (!std::exchange(exec_was_sent_, true))
    events.emplace_back(event::exec_sent{id_});
  const int status = ssh_channel_request_exec(channel_.get(), request_.command.c_str());
  if (status == SSH_OK) {
    state_ = state::running;
    if (!signal_.empty())
      signal(signal_);
  } else if (status == SSH_ERROR && is_alive(session_)) {
    told_ = true;
    events.emplace_back(event::exec_refused{id_});
    close();
  }
}

void exec_channel::write_stdin() {
  if (stdin_ended_ || closed_by_server_)
    return;
  const std::string& data = request_.stdin_data;
  while (stdin_sent_ < data.size()) {
    const std::size_t room = ssh_channel_window_size(channel_.get());
    const std::size_t length = std::min(room, data.size() - stdin_sent_);
    if (length == 0)
      return;
    const int written = ssh_channel_write(channel_.get(), data.data() + stdin_sent_,
                                          static_cast<std::uint32_t>(length));
    if (written <= 0) {
      stdin_ended_ = written < 0;
      return;
    }
    stdin_sent_ += static_cast<std::size_t>(written);
  }
  stdin_ended_ = true;
  ssh_channel_send_eof(channel_.get());
}

void exec_channel::signal(std::string_view name) {
  signal_ = name;
  // Before the exec request was answered libssh takes no second request.
  if (state_ == state::running)
    ssh_channel_request_send_signal(channel_.get(), signal_.c_str());
}

exec_outcome exec_channel::abandon() {
  abandoned_ = true;
  told_ = true;
  // A channel that the server is still opening can be closed only once it is open; forgotten
  // earlier, it would hold one of the server's places for ever.
  if (state_ != state::opening && state_ != state::ended)
    close();
  return std::exchange(outcome_, {});
}

void exec_channel::close() {
  state_ = state::closing;
  ssh_channel_close(channel_.get());
}

int exec_channel::on_data(ssh_session, ssh_channel, void* data, std::uint32_t length, int is_stderr,
                          void* self) {
  auto& channel = *static_cast<exec_channel*>(self);
  const std::string_view bytes{static_cast<const char*>(data), length};
  if (channel.abandoned_)
    return static_cast<int>(length);
  auto& outcome = channel.outcome_;
  const std::uint64_t cap = channel.request_.max_output;
  if (is_stderr != 0)
    keep(outcome.stderr_data, outcome.stderr_bytes, bytes, cap);
  else
    keep(outcome.stdout_data, outcome.stdout_bytes, bytes, cap);
  return static_cast<int>(length);
}

void exec_channel::on_exit_status(ssh_session, ssh_channel, int status, void* self) {
  static_cast<exec_channel*>(self)->outcome_.exit_status = static_cast<std::uint32_t>(status);
}

void exec_channel::on_exit_signal(ssh_session, ssh_channel, const char* signal, int, const char*,
                                  const char*, void* self) {
  static_cast<exec_channel*>(self)->outcome_.exit_signal = signal != nullptr ? signal : "";
}

void exec_channel::on_eof(ssh_session, ssh_channel, void* self) {
  static_cast<exec_channel*>(self)->output_ended_ = true;
}

void exec_channel::on_close(ssh_session, ssh_channel, void* self) {
  static_cast<exec_channel*>(self)->closed_by_server_ = true;
}

} // namespace sshexec::ssh
