#pragma once

#include <cstdint>
#include <string>

namespace sshexec {

/// Where a hub listens.
struct network_address {
  /// A name, an IPv4 or an IPv6 address (without brackets).
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

/// "host:port", with brackets around an IPv6 address.
std::string to_string(const network_address& x);

/// Whether only this machine reaches the host: a loopback address, or a name all of whose addresses
/// are. Blocks like `ssh::resolve`.
bool is_loopback(const std::string& host);

} // namespace sshexec
