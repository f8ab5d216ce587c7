#include "sshexec/actors/remote/network_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace sshexec {

bool is_loopback(const ssh::address& x) {
  if (x.storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &x.storage, sizeof(address));
    return IN6_IS_ADDR_LOOPBACK(&address.sin6_addr);
  }
  sockaddr_in address{};
  std::memcpy(&address, &x.storage, sizeof(address));
  // All of 127.0.0.0/8 (RFC 1122 §3.2.1.3).
  return x.storage.ss_family == AF_INET && ntohl(address.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

std::string to_string(const network_address& x) {
  const bool ipv6 = x.host.find(':') != std::string::npos;
  return (ipv6 ? '[' + x.host + ']' : x.host) + ':' + std::to_string(x.port);
}

bool is_loopback(const std::string& host) {
  const auto found = ssh::resolve(host, 0);
  return found && std::all_of(found->begin(), found->end(), [](const ssh::address& x) {
           return is_loopback(x);
         });
}

} // namespace sshexec
