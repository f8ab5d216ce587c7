#include "client.hpp"
#include "fuzz.hpp"
#include "secure_server.hpp"

#include <libssh/libssh.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <optional>
#include <variant>

using namespace sshexec;
using fuzz::require;

namespace {

constexpr std::uint64_t max_output = 16;

// RFC 4253 §12 and RFC 4252 §6.
const std::string service_accept("\x06\0\0\0\x0cssh-userauth", 17);
const std::string userauth_success = "\x34";

ssh::private_key make_key() {
  ssh_key key = nullptr;
  require(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK, "there are keys");
  return {key, ssh_key_free};
}

/// Payloads are separated as lines are, but by what hardly occurs in one.
std::vector<std::string> payloads_of(std::string_view input) {
  constexpr std::string_view separator = "\r\n";
  std::vector<std::string> result;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find(separator), input.size());
    result.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + separator.size(), input.size()));
  }
  return result;
}

/// Opens a channel for packets of ten bytes (RFC 4254 §5.1). libssh 0.10 takes ten off for itself,
/// and sends input in empty packets until they fill 256 MiB; as it tells nobody of that size, it
/// cannot be kept from it.
bool leaves_no_room_in_packets(const std::string& payload) {
  constexpr std::size_t packet_size_at = 13;
  const std::string ten("\0\0\0\x0a", 4);
  return payload.size() > packet_size_at && payload[0] == '\x5b'
         && payload.compare(packet_size_at, ten.size(), ten) == 0;
}

/// What an owner was told about one command.
struct command_story {
  bool abandoned = false;
  bool sent = false;
  bool told = false;
  bool closed = false;
};

/// An owner of a connection who runs commands on a server that says what the input says.
class play {
public:
  void run(const std::vector<std::string>& payloads) {
    while (!client_.lost() && !(server_ && server_->is_secure()))
      step();
    for (const std::string& payload : payloads)
      say(payload);
    if (server_)
      server_->hang_up();
    while (!client_.lost())
      step();
  }

private:
  /// An empty payload lets the owner do something instead.
  void say(const std::string& payload) {
    if (client_.lost())
      return;
    if (payload.empty())
      return act();
    if (leaves_no_room_in_packets(payload))
      return;
    server_->send(payload);
    while (!client_.lost() && client_->bytes_received() < server_->bytes_sent())
      step();
  }

  void act() {
    switch (acts_++) {
      case 0:
        client_->send_keepalive();
        client_->signal(1, "TERM");
        break;
      case 1:
        stories_[2].abandoned = true;
        require(client_->abandon(2).stdout_data.size() <= max_output, "output keeps to its cap");
        break;
      case 2:
        stream_.reset();
        break;
      default:
        start(acts_ + 1);
    }
    react();
  }

  void step() {
    fuzz::client::wait(server_ && !server_->is_secure() ? server_->descriptor() : -1);
    if (server_ && !server_->is_secure())
      server_->exchange_keys();
    react();
  }

  void react() {
    bool acted = true;
    while (acted && !client_.lost()) {
      acted = false;
      for (const ssh::connection_event& event : client_.advance())
        acted = std::visit([this](const auto& x) { return on(x); }, event) || acted;
    }
  }

  void start(ssh::exec_id id) {
    stories_[id] = {};
    ssh::exec_request request;
    request.command = "true";
    request.environment = {{"LANG", "C"}};
    request.stdin_data = std::make_shared<const std::string>("input");
    request.max_output = max_output;
    request.streamed = id == 1;
    if (id == 2)
      request.tracked = "token";
    client_->start(id, std::move(request));
  }

  /// The story that goes on with an event.
  command_story& story(ssh::exec_id id) {
    const auto found = stories_.find(id);
    require(found != stories_.end(), "news is about a command that was started");
    require(!found->second.closed, "a closed channel brings nothing");
    return found->second;
  }

  // Each tells whether the owner did something, so that the connection is to go on.

  bool on(const ssh::event::transport_connected&) {
    server_.emplace(fuzz::client::accept());
    return false;
  }

  bool on(const ssh::event::host_key_presented& x) {
    require(x.key.type == "ssh-ed25519", "the key is the one the server proved to hold");
    client_->authenticate();
    return true;
  }

  bool on(const ssh::event::authenticated&) {
    start(1);
    start(2);
    client_->open_spare();
    client_->forward(1, {"host", 22});
    return true;
  }

  bool on(const ssh::event::exec_sent& x) {
    require(!std::exchange(story(x.id).sent, true), "a command is sent once");
    return false;
  }

  bool on(const ssh::event::output& x) {
    require(!story(x.id).told, "output comes before the end that is told");
    client_->grant(x.id, x.data.size());
    return true;
  }

  static bool on(const ssh::event::tracked&) { return false; }

  static bool on(const ssh::event::input_wanted&) { return false; }

  static bool on(const ssh::event::output_overrun&) { return false; }

  static bool on(const ssh::event::spare_ended&) { return false; }

  bool on(const ssh::event::channel_refused& x) {
    command_story& told = story(x.id);
    require(!told.sent, "a command without a channel was not sent");
    told.closed = true;
    return false;
  }

  bool on(const ssh::event::exec_refused& x) { return end(story(x.id)); }

  bool on(const ssh::event::exec_ended& x) {
    const ssh::exec_outcome& outcome = x.outcome;
    require(outcome.stdout_data.size() <= max_output && outcome.stderr_data.size() <= max_output,
            "output keeps to its cap");
    require(outcome.stdout_data.size() <= outcome.stdout_bytes
              && outcome.stderr_data.size() <= outcome.stderr_bytes,
            "what was kept was received");
    return end(story(x.id));
  }

  static bool end(command_story& told) {
    require(!told.abandoned, "an abandoned command tells nothing");
    require(!std::exchange(told.told, true), "a command ends once");
    return false;
  }

  bool on(const ssh::event::channel_closed& x) {
    story(x.id).closed = true;
    return false;
  }

  bool on(const ssh::event::forwarded& x) {
    require(!std::exchange(forward_told_, true), "a stream is told once");
    stream_ = x.stream;
    const std::string_view words = "words for the host behind the server";
    ::send(stream_->socket.get(), words.data(), words.size(), MSG_NOSIGNAL);
    return true;
  }

  bool on(const ssh::event::forward_refused&) {
    require(!std::exchange(forward_told_, true), "a stream is told once");
    return false;
  }

  bool on(const ssh::event::forward_closed&) {
    require(forward_told_ && !std::exchange(forward_closed_, true), "a stream ends once");
    return false;
  }

  static bool on(const ssh::event::lost&) { return false; }

  static const ssh::private_keys& keys() {
    static const ssh::private_keys result{make_key()};
    return result;
  }

  fuzz::client client_{keys()};
  std::optional<fuzz::secure_server> server_;
  std::map<ssh::exec_id, command_story> stories_;
  std::shared_ptr<ssh::carried_stream> stream_;
  bool forward_told_ = false;
  bool forward_closed_ = false;
  unsigned acts_ = 0;
};

} // namespace

/// Whatever a server sends behind a sound key exchange, each command's news make sense, and the
/// connection is lost when the server's bytes end, if not before. An input that begins with 'c' has
/// what comes behind authentication, any other one what comes before it as well.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input = fuzz::to_text(data, size);
  std::vector<std::string> payloads;
  if (input.starts_with('c'))
    payloads = {service_accept, userauth_success};
  for (std::string& payload : payloads_of(std::string_view{input}.substr(input.empty() ? 0 : 1)))
    payloads.push_back(std::move(payload));
  play{}.run(payloads);
  return 0;
}
