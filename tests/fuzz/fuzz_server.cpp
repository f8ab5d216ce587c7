#include "client.hpp"
#include "fuzz.hpp"
#include "ssh_wire.hpp"

#include <sys/socket.h>

#include <variant>

using namespace sshexec;
using fuzz::require;

namespace {

constexpr std::size_t plain_block = 8;

/// A line, then payloads, each behind its length in two bytes.
std::string to_packets(const std::string& input) {
  std::size_t at = std::min(input.find('\n'), input.size() - 1) + 1;
  std::string result = input.substr(0, at);
  while (at + 2 <= input.size()) {
    const auto high = static_cast<std::uint8_t>(input[at]);
    const auto low = static_cast<std::uint8_t>(input[at + 1]);
    const std::string payload = input.substr(at + 2, std::size_t{256} * high + low);
    result += fuzz::to_packet(payload, plain_block);
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

/// Says what it has to say, and then that this was all.
void serve(const ssh::file_descriptor& socket, const std::string& bytes) {
  const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  require(sent == static_cast<ssize_t>(bytes.size()), "the bytes are sent at once");
  ::shutdown(socket.get(), SHUT_WR);
}

} // namespace

/// Whatever bytes a server sends that does not prove to hold a host key, the connection is lost
/// when they end, if not before.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = to_stream(fuzz::to_text(data, size));
  fuzz::client client;
  ssh::file_descriptor server;
  while (!client.lost()) {
    for (const ssh::connection_event& event : client.advance()) {
      require(!std::holds_alternative<ssh::event::host_key_presented>(event), "no key, no trust");
      if (std::holds_alternative<ssh::event::transport_connected>(event)) {
        server = fuzz::client::accept();
        serve(server, bytes);
      }
    }
    if (!client.lost())
      fuzz::client::wait();
  }
  require(client.advance().empty(), "a lost connection stays lost");
  return 0;
}
