#pragma once

#include "sshexec/ssh/error.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sshexec::ssh {

/// An IP address and port to connect to.
struct address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// "192.0.2.1:22" or "[2001:db8::1]:22".
std::string to_string(const address& x);

/// The same address at another port.
address with_port(address x, std::uint16_t port);

/// Whether only this machine reaches it.
bool is_loopback(const address& x);

/// Whether `host` is an address as it stands, so that `resolve` asks nobody.
bool is_numeric(const std::string& host);

/// Whether it is an IPv6 address without brackets, with an interface behind it or not.
bool is_ipv6(const std::string& host);

/// All addresses of a host in the order to try them (getaddrinfo(3), RFC 6724). Blocks for as long
/// as name servers take, except for a numeric address.
result<std::vector<address>> resolve(const std::string& host, std::uint16_t port);

} // namespace sshexec::ssh
