#include "sshexec/messages/machine.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const machine& x) {
  return std::tie(x.id, x.hostname, x.port, x.username, x.identity_file);
}

} // namespace

bool operator==(const machine& a, const machine& b) {
  return fields(a) == fields(b);
}

bool operator<(const machine& a, const machine& b) {
  return fields(a) < fields(b);
}

std::string to_address(const machine& x) {
  std::string result;
  if (!x.username.empty())
    result += x.username + '@';
  const bool ipv6 = x.hostname.find(':') != std::string::npos;
  result += ipv6 ? '[' + x.hostname + ']' : x.hostname;
  return result + ':' + std::to_string(x.port);
}

} // namespace sshexec
