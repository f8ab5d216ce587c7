#include "sshexec/testing/server_channel.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace sshexec::testing {

namespace {

using clock = std::chrono::steady_clock;

/// As much as goes in one packet of the usual size (RFC 4253 §6.1).
constexpr std::size_t chunk_size = 32'768;

} // namespace

server_channel::server_channel(ssh_channel channel, unsigned number, bool accepts_environment,
                               connection_context& context)
  : context_(context),
    number_(number),
    accepts_environment_(accepts_environment),
    channel_(channel) {
  callbacks_.userdata = this;
  callbacks_.channel_data_function = on_data;
  callbacks_.channel_eof_function = on_eof;
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
  stdout_.may_write = stderr_.may_write = may_write;
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
  window_ = ssh_channel_window_size(channel_.get());
}

bool server_channel::has_more_room() const {
  return ssh_channel_window_size(channel_.get()) > window_;
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
  send(stdout_, zeros);
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
  return false;
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
  if (!send(to, to.data))
    return;
  to.data.clear();
  if (!pipe || room(to) == 0)
    return;
  std::array<char, chunk_size> buffer{};
  const auto read = ::read(pipe.get(), buffer.data(), room(to));
  if (read < 0 && errno == EAGAIN)
    return;
  context_.progress = true;
  if (read <= 0) {
    pipe = {};
    return;
  }
  to.data.assign(buffer.data(), static_cast<std::size_t>(read));
  if (send(to, to.data))
    to.data.clear();
}

void server_channel::report_end() {
  if (end_reported_)
    return;
  const auto outcome = shell_->ended();
  if (!outcome)
    return;
  end_reported_ = true;
  context_.progress = true;
  if (outcome->signal.empty())
    take(step::exit_status{outcome->exit_status});
  else
    take(step::exit_signal{outcome->signal, {}, outcome->core_dumped});
}

/// Sends one packet of what is left of the data, and tells whether nothing is left.
bool server_channel::send(stream& to, std::string_view data) {
  const std::string_view left = data.substr(to.sent, room(to));
  const auto write = to.is_stderr ? ssh_channel_write_stderr : ssh_channel_write;
  if (!left.empty()) {
    const int written = write(channel_.get(), left.data(), static_cast<std::uint32_t>(left.size()));
    to.sent += static_cast<std::size_t>(std::max(written, 0));
    to.may_write = false;
    context_.progress = true;
  }
  if (to.sent < data.size())
    return false;
  to.sent = 0;
  return true;
}

std::size_t server_channel::room(const stream& to) const {
  if (!to.may_write || closed_by_client_)
    return 0;
  return std::min<std::size_t>(ssh_channel_window_size(channel_.get()), chunk_size);
}

void server_channel::await(std::vector<pollfd>& descriptors, bool may_write) const {
  if (!shell_)
    return;
  const bool has_room = may_write && ssh_channel_window_size(channel_.get()) > 0;
  const auto watch = [&](bool wanted, int descriptor, short what) {
    if (wanted && descriptor >= 0)
      descriptors.push_back({descriptor, what, 0});
  };
  watch(!input_.empty(), shell_->in.get(), POLLOUT);
  watch(has_room && stdout_.data.empty(), shell_->out.get(), POLLIN);
  watch(has_room && stderr_.data.empty(), shell_->err.get(), POLLIN);
  watch(!end_reported_, shell_->end_descriptor(), POLLIN);
}

std::optional<clock::time_point> server_channel::deadline() const {
  return pause_end_;
}

/// The data stays with libssh until there is a process that takes it.
int server_channel::on_data(ssh_session, ssh_channel, void*, std::uint32_t, int, void* self) {
  static_cast<server_channel*>(self)->context_.progress = true;
  return 0;
}

void server_channel::on_eof(ssh_session, ssh_channel, void* self) {
  static_cast<server_channel*>(self)->context_.progress = true;
}

void server_channel::on_signal(ssh_session, ssh_channel, const char* name, void* self) {
  auto& channel = *static_cast<server_channel*>(self);
  channel.signals_.emplace_back(name);
  channel.context_.progress = true;
  channel.context_.note(event::signal_received, channel.number_, name);
}

void server_channel::on_close(ssh_session, ssh_channel, void* self) {
  auto& channel = *static_cast<server_channel*>(self);
  channel.closed_by_client_ = true;
  channel.context_.progress = true;
}

} // namespace sshexec::testing
