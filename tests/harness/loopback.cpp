#include "sshexec/testing/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <system_error>

namespace sshexec::testing {

namespace {

/// As the kernel's own bound, so that a burst of connections is never turned away.
constexpr int backlog = 4096;

void require(bool success, const char* what) {
  if (!success)
    throw std::system_error(errno, std::system_category(), what);
}

sockaddr_in loopback_address(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1
      || ntohl(result.sin_addr.s_addr) >> IN_CLASSA_NSHIFT != IN_LOOPBACKNET)
    throw std::invalid_argument(address + " is no address of the loopback interface");
  return result;
}

void switch_on(const file_descriptor& socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket.get(), level, option, &on, sizeof(on));
}

file_descriptor bind_to(const std::string& address, std::uint16_t port) {
  const sockaddr_in wanted = loopback_address(address, port);
  file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  require(static_cast<bool>(socket), "socket");
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  require(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&wanted), sizeof(wanted)) == 0,
          "bind");
  return socket;
}

} // namespace

file_descriptor listen_on(const std::string& address, std::uint16_t port) {
  file_descriptor socket = bind_to(address, port);
  require(::listen(socket.get(), backlog) == 0, "listen");
  return socket;
}

file_descriptor reserve_port(const std::string& address) {
  return bind_to(address, 0);
}

std::uint16_t port_of(const file_descriptor& socket) {
  sockaddr_in bound{};
  socklen_t length = sizeof(bound);
  require(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length) == 0,
          "getsockname");
  return ntohs(bound.sin_port);
}

std::uint16_t free_port(const std::string& address) {
  return port_of(listen_on(address));
}

file_descriptor accept_from(const file_descriptor& listener) {
  file_descriptor socket{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (socket)
    switch_on(socket, IPPROTO_TCP, TCP_NODELAY);
  return socket;
}

void stop_listening(file_descriptor listener) {
  // It would go on until its last owner closes it.
  if (listener)
    ::shutdown(listener.get(), SHUT_RDWR);
}

void end_connection(file_descriptor socket, ending how) {
  if (how == ending::reset) {
    const linger at_once{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    return;
  }
  ::shutdown(socket.get(), SHUT_WR);
  // The kernel answers unread data with RST when the socket is closed.
  std::array<char, 4096> unread{};
  while (::recv(socket.get(), unread.data(), unread.size(), MSG_DONTWAIT) > 0) {
  }
}

} // namespace sshexec::testing
