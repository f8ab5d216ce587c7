#include "fuzz.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/wake_event.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <variant>

using namespace sshexec;
using fuzz::require;

namespace {

constexpr int patience_ms = 10'000;

/// All that outlives an input.
struct network {
  testing::wake_event news;
  testing::file_descriptor listener = testing::listen_on("127.0.0.1");
  ssh::connection_factory connect = ssh::make_connection_factory(std::make_shared<ssh::poller>());
};

network& loopback() {
  static network result;
  return result;
}

/// An unencrypted packet around a payload (RFC 4253 §6).
std::string to_packet(const std::string& payload) {
  constexpr std::size_t block = 8;
  constexpr std::size_t smallest_padding = 4;
  const std::size_t overhead = 4 + 1 + payload.size() + smallest_padding;
  const std::size_t padding = smallest_padding + (block - overhead % block) % block;
  const std::size_t length = 1 + payload.size() + padding;
  std::string result;
  for (const int shift : {24, 16, 8, 0})
    result += static_cast<char>(length >> shift);
  result += static_cast<char>(padding);
  return result + payload + std::string(padding, '\0');
}

/// A line, then payloads, each behind its length in two bytes.
std::string to_packets(const std::string& input) {
  std::size_t at = std::min(input.find('\n'), input.size() - 1) + 1;
  std::string result = input.substr(0, at);
  while (at + 2 <= input.size()) {
    const auto high = static_cast<std::uint8_t>(input[at]);
    const auto low = static_cast<std::uint8_t>(input[at + 1]);
    const std::size_t length = std::size_t{256} * high + low;
    const std::string payload = input.substr(at + 2, length);
    result += to_packet(payload);
    at += 2 + payload.size();
  }
  return result;
}

/// The first byte tells whether the server sends the rest as it is, or as packets that are sound
/// at least by their form, for random bytes seldom get past that.
std::string to_stream(const std::string& input) {
  if (input.size() < 2)
    return {};
  const std::string rest = input.substr(1);
  return input[0] == 'p' ? to_packets(rest) : rest;
}

/// A server that says what it has to say, and then that this was all.
testing::file_descriptor serve(const std::string& bytes) {
  auto socket = testing::accept_from(loopback().listener);
  require(static_cast<bool>(socket), "a connection that was made is there");
  const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  require(sent == static_cast<ssize_t>(bytes.size()), "the bytes are sent at once");
  ::shutdown(socket.get(), SHUT_WR);
  return socket;
}

void wait_for_news() {
  pollfd news{loopback().news.descriptor(), POLLIN, 0};
  int count = -1;
  do {
    count = ::poll(&news, 1, patience_ms);
    // A fuzzer looks at its clock by a signal.
  } while (count < 0 && errno == EINTR);
  require(count == 1, "the end of a connection is noticed");
  loopback().news.clear();
}

std::unique_ptr<ssh::connection> connect() {
  ssh::connection_settings settings;
  settings.addresses = *ssh::resolve("127.0.0.1", testing::port_of(loopback().listener));
  settings.username = "root";
  return loopback().connect(settings, [] { loopback().news.notify(); });
}

} // namespace

/// Whatever bytes a server sends, the connection is lost for a reason when they end.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = to_stream(fuzz::to_text(data, size));
  const auto client = connect();
  testing::file_descriptor server;
  bool lost = false;
  while (!lost) {
    bool asked = false;
    for (const ssh::connection_event& event : client->advance()) {
      require(!lost, "nothing happens on a lost connection");
      require(!std::holds_alternative<ssh::event::authenticated>(event), "no key, no way in");
      if (std::holds_alternative<ssh::event::transport_connected>(event))
        server = serve(bytes);
      if (std::holds_alternative<ssh::event::host_key_presented>(event)) {
        client->authenticate();
        asked = true;
      }
      if (const auto* end = std::get_if<ssh::event::lost>(&event)) {
        require(!end->reason.text.empty(), "a lost connection has a reason");
        lost = true;
      }
    }
    if (!lost && !asked)
      wait_for_news();
  }
  require(client->advance().empty(), "a lost connection stays lost");
  return 0;
}
