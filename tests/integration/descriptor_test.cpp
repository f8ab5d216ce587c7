#include "direct_client.hpp"
#include "sshexec/testing/loopback.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <libssh/callbacks.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;

/// Whose descriptor is it? libssh closes the one that it was given whenever it finds the connection
/// broken.
namespace {

using testing::file_descriptor;
using testing::scripted_server;

/// The number of our end of a connection to this port.
int descriptor_to(std::uint16_t port) {
  constexpr int more_than_are_open = 1024;
  for (int number = 0; number < more_than_are_open; ++number) {
    sockaddr_in peer{};
    socklen_t length = sizeof(peer);
    if (::getpeername(number, reinterpret_cast<sockaddr*>(&peer), &length) == 0
        && peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
      return number;
  }
  return -1;
}

/// Waits until the end of the connection has arrived.
bool end_arrives(int number) {
  constexpr int bound_in_ms = 60'000;
  pollfd query{number, POLLRDHUP, 0};
  return ::poll(&query, 1, bound_in_ms) == 1;
}

/// Another's socket, with something to read, that takes a descriptor's number as soon as libssh has
/// closed it: libssh tells its log of each step.
class sentinel {
public:
  explicit sentinel(int number) : number_(number) {
    std::array<int, 2> ends{-1, -1};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    near_ = file_descriptor{ends[0]};
    far_ = file_descriptor{ends[1]};
    BOOST_REQUIRE(::send(far_.get(), text.data(), text.size(), 0)
                  == static_cast<ssize_t>(text.size()));
    ssh_set_log_userdata(this);
    ssh_set_log_callback(
      [](int, const char*, const char*, void* self) { static_cast<sentinel*>(self)->look(); });
    ssh_set_log_level(SSH_LOG_FUNCTIONS);
  }

  sentinel(const sentinel&) = delete;
  sentinel& operator=(const sentinel&) = delete;

  ~sentinel() {
    ssh_set_log_level(SSH_LOG_NOLOG);
    ssh_set_log_callback(nullptr);
    ssh_set_log_userdata(nullptr);
  }

  /// Takes the number if it is free.
  void look() {
    if (!place_ && ::fcntl(number_, F_GETFD) < 0)
      place_ = file_descriptor{::fcntl(near_.get(), F_DUPFD_CLOEXEC, number_)};
  }

  /// Whether it has the number, and all there is to read.
  [[nodiscard]] bool is_untouched() {
    if (place_.get() != number_)
      return false;
    std::array<char, 16> read{};
    const auto count = ::recv(number_, read.data(), read.size(), MSG_DONTWAIT);
    const bool whole = count > 0 && std::string_view{read.data(), std::size_t(count)} == text;
    // A number that was closed is nobody's to close.
    if (::fcntl(number_, F_GETFD) < 0)
      place_.release();
    return whole;
  }

private:
  static constexpr std::string_view text = "another's";

  int number_;
  file_descriptor near_;
  file_descriptor far_;
  file_descriptor place_;
};

void expect_untouched_after(scripted_server& server, testing::breakage how) {
  std::optional<direct_client> client{server};
  const int number = descriptor_to(server.port());
  sentinel other{number};
  server.break_connections(how);
  BOOST_TEST_REQUIRE(end_arrives(number));
  client.reset();
  other.look();
  BOOST_TEST(other.is_untouched());
}

} // namespace

BOOST_AUTO_TEST_SUITE(descriptors)

BOOST_AUTO_TEST_CASE(the_end_of_a_connection_that_was_reset_touches_no_other_socket) {
  scripted_server server;
  expect_untouched_after(server, testing::breakage::reset);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_connection_that_the_server_hung_up_touches_no_other_socket) {
  scripted_server server;
  expect_untouched_after(server, testing::breakage::hang_up);
}

BOOST_AUTO_TEST_CASE(
  the_end_of_a_connection_that_the_server_left_politely_touches_no_other_socket) {
  scripted_server server;
  expect_untouched_after(server, testing::breakage::disconnect);
}

BOOST_AUTO_TEST_CASE(a_good_bye_that_nobody_takes_touches_no_other_socket) {
  const file_descriptor listener = testing::listen_on("127.0.0.1");
  const auto port = testing::port_of(listener);
  ssh::connection_settings settings;
  settings.addresses = ssh::resolve("127.0.0.1", port).value();
  settings.username = "nobody";
  auto connection = ssh::make_connection_factory(std::make_shared<ssh::poller>())(settings, [] {});
  file_descriptor accepted = testing::accept_from(listener);
  BOOST_TEST_REQUIRE(static_cast<bool>(accepted));
  connection->advance();
  const int number = descriptor_to(port);
  sentinel other{number};
  testing::end_connection(std::move(accepted), testing::ending::reset);
  BOOST_TEST_REQUIRE(end_arrives(number));
  connection.reset();
  other.look();
  BOOST_TEST(other.is_untouched());
}

BOOST_AUTO_TEST_CASE(what_a_connection_still_says_as_it_is_broken_touches_no_other_socket) {
  scripted_server server;
  direct_client client{server};
  const int number = descriptor_to(server.port());
  sentinel other{number};
  server.break_connections(testing::breakage::reset);
  BOOST_TEST_REQUIRE(end_arrives(number));
  client->send_keepalive();
  client->flush();
  BOOST_TEST(client.until([&] { return client.lost.has_value(); }));
  BOOST_TEST((client.lost->kind == ssh::error_kind::dropped));
  other.look();
  BOOST_TEST(other.is_untouched());
}

BOOST_AUTO_TEST_SUITE_END()
