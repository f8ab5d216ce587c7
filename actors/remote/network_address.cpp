#include "sshexec/actors/remote/network_address.hpp"

#include "sshexec/ssh/address.hpp"

#include <algorithm>

namespace sshexec {

std::string to_string(const network_address& x) {
  const bool ipv6 = x.host.find(':') != std::string::npos;
  return (ipv6 ? '[' + x.host + ']' : x.host) + ':' + std::to_string(x.port);
}

bool is_loopback(const std::string& host) {
  const auto found = ssh::resolve(host, 0);
  return found && std::all_of(found->begin(), found->end(), [](const ssh::address& x) {
           return ssh::is_loopback(x);
         });
}

} // namespace sshexec
