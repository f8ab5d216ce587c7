#include "sshexec/actors/remote/wire/sockets.hpp"
#include "sshexec/testing/loopback.hpp"

#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

/// Listens, but has no place for anybody more: the kernel leaves whoever comes without an answer.
struct full_listener {
  full_listener() {
    ::listen(socket.get(), 0);
    auto connected = connect_to({"127.0.0.1", testing::port_of(socket)}, within(60s));
    BOOST_REQUIRE(connected);
    filler = std::move(*connected);
  }

  static patience within(std::chrono::milliseconds bound) {
    return {std::chrono::steady_clock::now() + bound};
  }

  /// This listener's address, and those of others behind it.
  [[nodiscard]] std::vector<ssh::address>
  and_then(const std::vector<const ssh::file_descriptor*>& others) const {
    std::vector<ssh::address> result;
    std::vector<const ssh::file_descriptor*> listeners{&socket};
    listeners.insert(listeners.end(), others.begin(), others.end());
    for (const auto* each : listeners)
      result.push_back(ssh::resolve("127.0.0.1", testing::port_of(*each)).value().front());
    return result;
  }

  ssh::file_descriptor socket = testing::listen_on("127.0.0.1");
  ssh::file_descriptor filler;
};

std::uint16_t peer_port(const ssh::file_descriptor& socket) {
  sockaddr_in peer{};
  socklen_t length = sizeof(peer);
  ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &length);
  return ntohs(peer.sin_port);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(sockets, full_listener)

BOOST_AUTO_TEST_CASE(a_silent_address_does_not_keep_the_next_one_waiting) {
  const auto refusing = testing::reserve_port("127.0.0.1");
  const auto answering = testing::listen_on("127.0.0.1");
  const auto connected = connect_to(and_then({&refusing, &answering}), within(60s));
  BOOST_REQUIRE(connected);
  BOOST_TEST(peer_port(*connected) == testing::port_of(answering));
}

BOOST_AUTO_TEST_CASE(silent_addresses_are_waited_for_as_long_as_was_said) {
  const auto connected = connect_to(and_then({&socket}), within(600ms));
  BOOST_REQUIRE(!connected);
  BOOST_TEST((connected.error().kind == ssh::error_kind::timed_out));
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_what_is_not_wanted_any_more) {
  auto [wanted, ours] = ssh::make_pipe();
  ours = {};
  patience bound = within(24h);
  bound.stop = wanted.get();
  BOOST_TEST(!connect_to(and_then({&socket}), bound));
}

BOOST_AUTO_TEST_SUITE_END()
