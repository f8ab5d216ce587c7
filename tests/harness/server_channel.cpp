#include "sshexec/testing/server_channel.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace sshexec::testing {

namespace {

using clock = std::chrono::steady_clock;

/// As much as goes in one packet of the usual size (RFC 4253 §6.1).
constexpr std::size_t chunk_size = 32'768;

} // namespace

server_channel::server_channel(ssh_channel channel, unsigned number, bool accepts_environment,
                               connection_context& context)
    : context_(context), number_(number), accepts_environment_(accepts_environment),
      channel_(channel) {
  callbacks_.userdata = this;
  callbacks_.channel_signal_function = on_signal;
  callbacks_.channel_close_function = on_close;
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_.get(), &callbacks_);
}

server_channel::~server_channel() {
  if (channel_)
    ssh_remove_channel_callbacks(channel_.get(), &callbacks_);
}

void server_channel::forget() {
  unanswered_exec_.reset();
  [[maybe_unused]] const auto* libssh_owns = channel_.release();
}

void server_channel::handle(message_handle request) {
  const int type = ssh_message_subtype(request.get());
  if (type == SSH_CHANNEL_REQUEST_ENV && accepts_environment_) {
    set_variable(request.get());
  } else if (type == SSH_CHANNEL_REQUEST_EXEC && !running_ && !unanswered_exec_) {
    const std::string line = ssh_message_channel_request_command(request.get());
    script_ = context_.commands(line);
    unanswered_exec_ = std::move(request);
    context_.note(event::exec_requested, number_, line);
  } else {
    ssh_message_reply_default(request.get());
  }
}

void server_channel::set_variable(ssh_message request) {
  environment_[ssh_message_channel_request_env_name(request)]
    = ssh_message_channel_request_env_value(request);
  ssh_message_channel_request_reply_success(request);
}

void server_channel::advance(bool may_write) {
  may_write_ = may_write;
  if (closed_by_client_) {
    shell_.reset();
    closing_ = true;
  }
  if (!closing_ && unanswered_exec_ && play(script_.before_answer))
    answer_exec();
  if (!closing_ && running_) {
    react_to_signals();
    play(script_.steps);
  }
  if (closing_)
    close();
}

void server_channel::answer_exec() {
  const message_handle request = std::move(unanswered_exec_);
  next_step_ = 0;
  running_ = script_.granted;
  if (script_.granted)
    ssh_message_channel_request_reply_success(request.get());
  else
    ssh_message_reply_default(request.get());
}

/// Tells whether the last step is done.
bool server_channel::play(const std::vector<command_step>& steps) {
  while (next_step_ < steps.size() && !closing_ && !context_.broken) {
    if (!std::visit([this](const auto& x) { return take(x); }, steps[next_step_]))
      return false;
    ++next_step_;
    context_.progress = true;
  }
  return next_step_ == steps.size();
}

void server_channel::react_to_signals() {
  for (const std::string& signal : std::exchange(signals_, {}))
    if (script_.on_signal == signal_reaction::obey && !closing_)
      react_to(signal);
}

void server_channel::react_to(const std::string& signal) {
  if (!shell_) {
    take(step::exit_signal{signal});
    closing_ = true;
  } else if (const int number = signal_number(signal); number != 0) {
    shell_->signal(number);
  }
}

void server_channel::close() {
  // It sends EOF and CLOSE; while there is other output left it does only the first of them.
  if (!closed_by_us_ && ssh_channel_close(channel_.get()) == SSH_OK) {
    closed_by_us_ = true;
    context_.progress = true;
  }
}

bool server_channel::take(const step::flood&) {
  static const std::string zeros(chunk_size, '\0');
  if (stdout_.empty())
    stdout_.sent = 0;
  while (send(stdout_, zeros))
    context_.progress = true;
  return false;
}

bool server_channel::take(const step::pause& x) {
  if (!pause_end_)
    pause_end_ = clock::now() + x.time;
  if (clock::now() < *pause_end_)
    return false;
  pause_end_.reset();
  return true;
}

bool server_channel::take(const step::exit_status& x) {
  ssh_channel_request_send_exit_status(channel_.get(), static_cast<int>(x.value));
  return true;
}

bool server_channel::take(const step::exit_signal& x) {
  ssh_channel_request_send_exit_signal(channel_.get(), x.name.c_str(), x.core_dumped ? 1 : 0,
                                       x.message.c_str(), "");
  return true;
}

bool server_channel::take(const step::eof&) {
  ssh_channel_send_eof(channel_.get());
  return true;
}

bool server_channel::take(const step::close&) {
  closing_ = true;
  return true;
}

bool server_channel::take(const step::break_connection& x) {
  context_.broken = x;
  return true;
}

bool server_channel::take(const step::run_shell& x) {
  if (!shell_ && !start_shell(x.line))
    return true;
  feed_shell();
  forward(shell_->out, stdout_);
  forward(shell_->err, stderr_);
  report_end();
  const bool over = end_reported_ && !shell_->out && !shell_->err;
  if (over)
    shell_.reset();
  return over;
}

bool server_channel::start_shell(const std::string& line) {
  try {
    shell_.emplace(line, environment_);
    end_reported_ = false;
  } catch (const std::system_error&) {
    // As sshd(8) does when it cannot start a process: the channel ends without an exit status.
    closing_ = true;
  }
  return shell_.has_value();
}

void server_channel::feed_shell() {
  while (read_input()) {
    if (!shell_->in) {
      // Nobody reads it any more; a client that sends it must not be held up.
      input_.clear();
    } else if (const auto written = ::write(shell_->in.get(), input_.data(), input_.size());
               written >= 0) {
      input_.erase(0, static_cast<std::size_t>(written));
      context_.progress = true;
    } else if (errno == EAGAIN) {
      return;
    } else {
      shell_->in = {};
    }
  }
  if (ssh_channel_is_eof(channel_.get()) != 0)
    shell_->in = {};
}

/// Tells whether there is input for the process.
bool server_channel::read_input() {
  if (!input_.empty())
    return true;
  input_.resize(chunk_size);
  const int read
    = ssh_channel_read_nonblocking(channel_.get(), input_.data(), chunk_size, /*is_stderr=*/0);
  input_.resize(static_cast<std::size_t>(std::max(read, 0)));
  return !input_.empty();
}

void server_channel::forward(ssh::file_descriptor& pipe, stream& to) {
  if (!flush(to) || !pipe || room() == 0)
    return;
  std::array<char, chunk_size> buffer{};
  const auto read = ::read(pipe.get(), buffer.data(), room());
  if (read < 0 && errno == EAGAIN)
    return;
  context_.progress = true;
  if (read <= 0) {
    pipe = {};
    return;
  }
  to.data.assign(buffer.data(), static_cast<std::size_t>(read));
  to.sent = 0;
  flush(to);
}

void server_channel::report_end() {
  if (end_reported_)
    return;
  const auto outcome = shell_->ended();
  if (!outcome)
    return;
  end_reported_ = true;
  if (outcome->signal.empty())
    take(step::exit_status{outcome->exit_status});
  else
    take(step::exit_signal{outcome->signal, {}, outcome->core_dumped});
}

/// Sends data that stays the same until all of it is sent, which is then told.
bool server_channel::send(stream& to, std::string_view data) {
  while (to.sent < data.size()) {
    const std::size_t length = std::min(room(), data.size() - to.sent);
    if (length == 0)
      return false;
    const auto write = to.is_stderr ? ssh_channel_write_stderr : ssh_channel_write;
    const int written
      = write(channel_.get(), data.data() + to.sent, static_cast<std::uint32_t>(length));
    if (written <= 0)
      return false;
    to.sent += static_cast<std::size_t>(written);
    context_.progress = true;
    // One packet for each channel at a time, so that they share the connection.
    may_write_ = false;
  }
  to.sent = 0;
  return true;
}
