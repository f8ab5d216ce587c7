#include "sshexec/messages/machine.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const jump& x) {
  return std::tie(x.hostname, x.port, x.username, x.identity_file);
}

auto fields(const machine& x) {
  return std::tie(x.id, x.hostname, x.port, x.username, x.identity_file, x.via);
}

} // namespace

bool operator==(const jump& a, const jump& b) {
  return fields(a) == fields(b);
}

bool operator<(const jump& a, const jump& b) {
  return fields(a) < fields(b);
}

bool operator==(const machine& a, const machine& b) {
  return fields(a) == fields(b);
}

bool operator<(const machine& a, const machine& b) {
  return fields(a) < fields(b);
}

machine last_jump(const machine& x) {
  const jump& last = x.via.back();
  return {{},
          last.hostname,
          last.port,
          last.username,
          last.identity_file,
          {x.via.begin(), x.via.end() - 1}};
}

std::string to_address(const machine& x) {
  std::string result;
  if (!x.username.empty())
    result += x.username + '@';
  const bool ipv6 = x.hostname.find(':') != std::string::npos;
  result += ipv6 ? '[' + x.hostname + ']' : x.hostname;
  return x.port == 0 ? result : result + ':' + std::to_string(x.port);
}

} // namespace sshexec
