#include "sshexec/testing/server_connection.hpp"

#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sshexec::testing {

namespace {

using clock = std::chrono::steady_clock;

/// How long a client may take to read what is sent before a connection breaks.
constexpr auto patience = std::chrono::milliseconds{10'000};

/// RFC 4253 §4.2.
constexpr const char* identification = "SSH-2.0-sshexec_testing\r\n";

struct bind_deleter {
  void operator()(ssh_bind x) const { ssh_bind_free(x); }
};

using bind_handle = std::unique_ptr<std::remove_pointer_t<ssh_bind>, bind_deleter>;

/// What libssh needs to serve a connection that somebody else accepted.
bind_handle make_bind(const server_key& host_key) {
  bind_handle result{ssh_bind_new()};
  const bool process_config = false;
  ssh_bind_options_set(result.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config);
  // The bind frees its keys.
  ssh_bind_options_set(result.get(), SSH_BIND_OPTIONS_IMPORT_KEY, ssh_key_dup(host_key.get()));
  return result;
}

int method_number(const std::string& name) {
  if (name == "publickey")
    return SSH_AUTH_METHOD_PUBLICKEY;
  if (name == "password")
    return SSH_AUTH_METHOD_PASSWORD;
  if (name == "keyboard-interactive")
    return SSH_AUTH_METHOD_INTERACTIVE;
  throw std::invalid_argument("no authentication method: " + name);
}

std::string method_name(int number) {
  for (const char* name : {"publickey", "password", "keyboard-interactive"})
    if (method_number(name) == number)
      return name;
  return "unknown";
}

int method_numbers(const std::vector<std::string>& names) {
  int result = 0;
  for (const std::string& name : names)
    result |= method_number(name);
  return result;
}

// libssh deprecates these two in favour of callbacks, which cannot leave a request unanswered.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

ssh_key key_of(ssh_message request) {
  return ssh_message_auth_pubkey(request);
}

ssh_publickey_state_e signature_of(ssh_message request) {
  return ssh_message_auth_publickey_state(request);
}

std::string password_of(ssh_message request) {
  const char* text = ssh_message_auth_password(request);
  return text != nullptr ? text : "";
}

#pragma GCC diagnostic pop

} // namespace

const server_key& key_ring::operator[](unsigned number) {
  const std::lock_guard lock{mutex_};
  return keys_[number];
}

server_connection::server_connection(ssh::file_descriptor socket, wake_event wake, unsigned number,
                                     server_state& server)
  : server_(server),
    number_(number),
    context_{number, server.record, server.open_gates, server.commands},
    socket_(std::move(socket)),
    wake_(std::move(wake)),
    thread_([this] { run(); }) {}

server_connection::~server_connection() {
  stop();
  thread_.join();
}

void server_connection::stop() {
  stopping_ = true;
  wake();
}

void server_connection::break_off(step::break_connection how) {
  {
    const std::lock_guard lock{order_mutex_};
    order_ = std::move(how);
  }
  wake();
}

void server_connection::run() {
  block_signals();
  context_.note(event::connection_accepted);
  std::string reason;
  try {
    serve();
  } catch (const std::exception& error) {
    reason = error.what();
  }
  channels_.clear();
  session_.reset();
  socket_ = {};
  context_.note(event::disconnected, 0, reason);
  finished_ = true;
}

void server_connection::serve() {
  script_ = server_.connections(number_);
  reach(phase::accepted);
  if (!context_.broken)
    greet();
  while (!context_.broken && !stopping_ && is_alive()) {
    await();
    take_orders();
    if (!context_.broken)
      pump();
  }
  if (!context_.broken)
    return;
  context_.note(event::connection_broken);
  carry_out(*context_.broken);
}

void server_connection::greet() {
  // libssh sends more than its identification string as soon as the client's has come.
  if (!script_.greeting && script_.breaks && script_.breaks->at == phase::banner
      && script_.breaks->how != breakage::disconnect)
    script_.greeting = identification;
  if (!script_.greeting)
    return start_session();
  send_text(*script_.greeting);
  reach(phase::banner);
  if (!context_.broken)
    context_.broken = {breakage::silence};
}

void server_connection::send_text(const std::string& text) const {
  ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

void server_connection::start_session() {
  session_.reset(ssh_new());
  const bind_handle bind = make_bind(server_.host_keys[script_.host_key]);
  ssh_set_blocking(session_.get(), 0);
  if (ssh_bind_accept_fd(bind.get(), session_.get(), socket_.get()) != SSH_OK)
    throw std::runtime_error(ssh_get_error(bind.get()));
  socket_.release();
  if (script_.rekey_after != 0)
    ssh_options_set(session_.get(), SSH_OPTIONS_REKEY_DATA, &script_.rekey_after);
  ssh_set_auth_methods(session_.get(), method_numbers(script_.methods));
  ssh_handle_key_exchange(session_.get());
  reach(phase::banner);
}

void server_connection::reach(phase which) {
  if (script_.breaks && script_.breaks->at == which && !context_.broken)
    context_.broken = {script_.breaks->how, script_.breaks->message};
}

bool server_connection::is_alive() const {
  return ssh_is_connected(session_.get()) != 0;
}

bool server_connection::may_write() const {
  return (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) == 0;
}

void server_connection::await() {
  const short on_socket = may_write() ? POLLIN : POLLIN | POLLOUT;
  std::vector<pollfd> descriptors{{wake_.descriptor(), POLLIN, 0},
                                  {ssh_get_fd(session_.get()), on_socket, 0}};
  auto deadline = clock::time_point::max();
  for (const server_channel& channel : channels_) {
    channel.await(descriptors, may_write());
    deadline = std::min(deadline, channel.deadline().value_or(deadline));
  }
  const bool bounded = deadline != clock::time_point::max();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  ::poll(descriptors.data(), descriptors.size(),
         bounded ? static_cast<int>(std::max<std::int64_t>(left.count(), 0)) : -1);
}

void server_connection::take_orders() {
  wake_.clear();
  const std::lock_guard lock{order_mutex_};
  if (order_)
    context_.broken = std::exchange(order_, std::nullopt);
}

void server_connection::pump() {
  if (!keys_exchanged_ && !exchange_keys())
    return;
  receive();
  // libssh reads from the socket and writes to it in many of its functions. So all that comes in
  // counts as progress, and so does room for more; poll(2) waits only when there was neither since
  // the last look at everything.
  bool writable = true;
  do {
    context_.progress = false;
    remove_closed_channels();
    writable = may_write();
    for (server_channel& channel : channels_)
      if (!context_.broken)
        channel.advance(writable);
    receive();
  } while ((has_news() || (!writable && may_write())) && !context_.broken && !stopping_
           && is_alive());
}

bool server_connection::has_news() const {
  return context_.progress || std::ranges::any_of(channels_, [](const server_channel& x) {
           return x.has_more_room();
         });
}

/// Tells whether the keys are exchanged.
bool server_connection::exchange_keys() {
  keys_exchanged_ = ssh_handle_key_exchange(session_.get()) == SSH_OK;
  if (ssh_get_clientbanner(session_.get()) != nullptr)
    reach(phase::key_exchange);
  return keys_exchanged_;
}

void server_connection::receive() {
  while (!context_.broken) {
    message_handle message{ssh_message_get(session_.get())};
    if (!message)
      return;
    context_.progress = true;
    handle(std::move(message));
  }
}

void server_connection::handle(message_handle message) {
  switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_SERVICE:
      ssh_message_service_reply_success(message.get());
      break;
    case SSH_REQUEST_AUTH:
      authenticate(message.get());
      break;
    case SSH_REQUEST_CHANNEL_OPEN:
      open_channel(message.get());
      break;
    case SSH_REQUEST_CHANNEL:
      handle_channel_request(std::move(message));
      break;
    default:
      ssh_message_reply_default(message.get());
  }
}

void server_connection::authenticate(ssh_message request) {
  reach(phase::authentication);
  if (context_.broken)
    return;
  const int method = ssh_message_subtype(request);
  if (method == SSH_AUTH_METHOD_NONE)
    ssh_message_reply_default(request);
  else if (std::ranges::find(script_.methods, method_name(method)) == script_.methods.end())
    refuse_proof(request);
  else if (method == SSH_AUTH_METHOD_PUBLICKEY)
    check_key(request);
  else if (method == SSH_AUTH_METHOD_PASSWORD)
    check_password(request);
  else
    check_answer(request);
}

void server_connection::check_key(ssh_message request) {
  if (script_.at_key) {
    context_.broken = {*script_.at_key};
    return;
  }
  const bool acceptable = keys_refused_ >= script_.accept_after && accepts(key_of(request));
  if (acceptable && signature_of(request) == SSH_PUBLICKEY_STATE_NONE) {
    ssh_message_auth_reply_pk_ok_simple(request);
  } else if (acceptable && signature_of(request) == SSH_PUBLICKEY_STATE_VALID) {
    accept_proof(request);
  } else {
    ++keys_refused_;
    refuse_proof(request);
  }
}

void server_connection::check_password(ssh_message request) {
  if (script_.password && password_of(request) == *script_.password)
    accept_proof(request);
  else
    refuse_password(request);
}

void server_connection::check_answer(ssh_message request) {
  if (ssh_message_auth_kbdint_is_response(request) == 0) {
    prompts_answered_ = 0;
    return ask(request, script_.prompts.front());
  }
  const char* answer = ssh_userauth_kbdint_getanswer(session_.get(), 0);
  const bool is_first = prompts_answered_++ == 0;
  if (!is_first || !script_.password || answer == nullptr || *script_.password != answer)
    return refuse_password(request);
  if (prompts_answered_ < script_.prompts.size())
    return ask(request, script_.prompts[prompts_answered_]);
  accept_proof(request);
}

void server_connection::ask(ssh_message request, const prompt& question) {
  const char* text = question.text.c_str();
  char is_echoed = question.is_echoed ? 1 : 0;
  ssh_message_auth_interactive_request(request, "", "", 1, &text, &is_echoed);
}

void server_connection::accept_proof(ssh_message request) {
  const std::string method = method_name(ssh_message_subtype(request));
  // Noted before the client can know it and do what is noted next.
  context_.note(event::authentication_accepted, 0, method);
  if (script_.further_methods.empty()) {
    ssh_message_auth_reply_success(request, /*partial=*/0);
    return reach(phase::established);
  }
  script_.methods = {script_.further_methods.front()};
  script_.further_methods.erase(script_.further_methods.begin());
  ssh_set_auth_methods(session_.get(), method_numbers(script_.methods));
  ssh_message_auth_reply_success(request, /*partial=*/1);
}

void server_connection::refuse_proof(ssh_message request) {
  // Noted before the client can know it.
  context_.note(event::authentication_refused, 0, method_name(ssh_message_subtype(request)));
  ssh_message_reply_default(request);
}

void server_connection::refuse_password(ssh_message request) {
  if (!script_.at_wrong_password)
    return refuse_proof(request);
  context_.note(event::authentication_refused, 0, method_name(ssh_message_subtype(request)));
  context_.broken = {*script_.at_wrong_password};
}

bool server_connection::accepts(ssh_key key) const {
  switch (script_.keys) {
    case accepted_keys::any:
      return true;
    case accepted_keys::own_client_key:
      return server_.client_key.matches(key);
    case accepted_keys::none:
      return false;
  }
  return false;
}

void server_connection::open_channel(ssh_message request) {
  reach(phase::channel_open);
  if (context_.broken)
    return;
  const unsigned number = ++channels_opened_;
  // A channel whose close came together with this request is not removed yet.
  const auto open
    = std::ranges::count_if(channels_, [](const server_channel& x) { return !x.closed(); });
  if (ssh_message_subtype(request) != SSH_CHANNEL_SESSION
      || std::cmp_greater_equal(open, script_.max_channels)) {
    if (script_.at_surplus_channel) {
      context_.broken = {*script_.at_surplus_channel};
      return;
    }
    ssh_message_reply_default(request);
    context_.note(event::channel_refused, number);
    return;
  }
  const ssh_channel channel = ssh_message_channel_request_open_reply_accept(request);
  channels_.emplace_back(channel, number, script_.accepts_environment, context_);
  context_.note(event::channel_opened, number);
}

void server_connection::handle_channel_request(message_handle request) {
  const auto channel = std::ranges::find_if(channels_, [&](const server_channel& x) {
    return x.is(ssh_message_channel_request_channel(request.get()));
  });
  if (channel == channels_.end())
    return;
  const bool is_exec = ssh_message_subtype(request.get()) == SSH_CHANNEL_REQUEST_EXEC;
  channel->handle(std::move(request));
  if (is_exec)
    reach(phase::exec_request);
}

/// To be called when no request waits, for each refers to its channel.
void server_connection::remove_closed_channels() {
  std::erase_if(channels_, [this](const server_channel& x) {
    if (x.closed())
      context_.note(event::channel_closed, x.number());
    return x.closed();
  });
}

void server_connection::carry_out(const step::break_connection& how) {
  // Before the keys are exchanged, libssh would go on with the exchange meanwhile.
  if (keys_exchanged_ || how.how == breakage::disconnect)
    flush();
  switch (how.how) {
    case breakage::silence:
      return hold();
    case breakage::hang_up:
      return end_connection(take_socket(), ending::hang_up);
    case breakage::reset:
      return end_connection(take_socket(), ending::reset);
    case breakage::disconnect:
      return disconnect(how.message);
  }
}

void server_connection::disconnect(const std::string& message) {
  if (!session_) {
    send_text(message + "\r\n");
    return linger(take_socket());
  }
  // libssh closes its socket at once.
  ssh::file_descriptor socket{::fcntl(ssh_get_fd(session_.get()), F_DUPFD_CLOEXEC, 0)};
  for (server_channel& channel : channels_)
    channel.forget();
  ssh_session_set_disconnect_message(session_.get(), message.c_str());
  ssh_disconnect(session_.get());
  linger(std::move(socket));
}

/// Ends the connection and leaves the client time to read what was sent: if it sends more to a
/// closed socket, it gets a reset that overtakes it.
void server_connection::linger(const ssh::file_descriptor& socket) const {
  ::shutdown(socket.get(), SHUT_WR);
  const auto deadline = clock::now() + patience;
  std::array<char, 4096> ignored{};
  while (!stopping_ && clock::now() < deadline) {
    std::array<pollfd, 2> descriptors{{{wake_.descriptor(), POLLIN, 0}, {socket.get(), POLLIN, 0}}};
    ::poll(descriptors.data(), descriptors.size(), static_cast<int>(patience.count()));
    wake_.clear();
    const auto read = ::recv(socket.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    if (read == 0 || (read < 0 && errno != EAGAIN))
      return;
  }
}

/// Waits until the client gives up, or for an order to break the silence.
void server_connection::hold() {
  // libssh has closed it if the client gave up already.
  ssh::file_descriptor socket = take_socket();
  context_.broken.reset();
  while (socket && !stopping_ && !context_.broken) {
    std::vector<pollfd> descriptors{{wake_.descriptor(), POLLIN, 0}, {socket.get(), POLLRDHUP, 0}};
    ::poll(descriptors.data(), descriptors.size(), -1);
    if (descriptors[1].revents != 0)
      return;
    take_orders();
  }
  if (context_.broken)
    end_connection(std::move(socket),
                   context_.broken->how == breakage::reset ? ending::reset : ending::hang_up);
}

/// Lets output leave that libssh has taken already.
void server_connection::flush() {
  const auto deadline = clock::now() + patience;
  while (session_ && is_alive() && !may_write() && !stopping_ && clock::now() < deadline) {
    pollfd socket{ssh_get_fd(session_.get()), POLLOUT, 0};
    ::poll(&socket, 1, 10);
    // What comes in meanwhile gets no answer any more.
    const message_handle ignored{ssh_message_get(session_.get())};
  }
}

/// Takes the socket away from libssh, whose further output goes nowhere.
ssh::file_descriptor server_connection::take_socket() {
  if (!session_)
    return std::move(socket_);
  const int theirs = ssh_get_fd(session_.get());
  ssh::file_descriptor socket{::fcntl(theirs, F_DUPFD_CLOEXEC, 0)};
  const ssh::file_descriptor nowhere{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (socket)
    ::dup3(nowhere.get(), theirs, O_CLOEXEC);
  return socket;
}

} // namespace sshexec::testing
