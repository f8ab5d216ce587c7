#include "sshexec/ssh/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace sshexec::ssh {

namespace {

using address_list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

struct look_up_outcome {
  /// As getaddrinfo returns it; 0 for success.
  int code = 0;
  /// What `errno` was then.
  int system_code = 0;
  address_list found{nullptr, ::freeaddrinfo};
};

look_up_outcome look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  look_up_outcome outcome;
  errno = 0;
  outcome.code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  outcome.system_code = errno;
  if (outcome.code == 0)
    outcome.found.reset(found);
  return outcome;
}

error to_error(const std::string& host, const look_up_outcome& outcome) {
  const std::string what = "cannot resolve the name " + host + ": ";
  const int code = outcome.code;
  // glibc then says that the name is not known.
  if (outcome.system_code == EMFILE || outcome.system_code == ENFILE
      || outcome.system_code == ENOMEM)
    return {error_kind::shortage, what + std::system_category().message(outcome.system_code)};
  const bool unknown = code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY;
  const std::string reason = code == EAI_SYSTEM
                               ? std::system_category().message(outcome.system_code)
                               : ::gai_strerror(code);
  // Whatever else fails may work later: a name server that is down, a lack of descriptors.
  return {unknown ? error_kind::name_not_found : error_kind::unreachable, what + reason};
}

address to_address(const addrinfo& x) {
  address result;
  std::memcpy(&result.storage, x.ai_addr, x.ai_addrlen);
  result.length = x.ai_addrlen;
  return result;
}

bool is_same(const address& a, const address& b) {
  return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
}

} // namespace

std::string to_string(const address& x) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  // The socket API takes every address family by this one type.
  const auto* generic = reinterpret_cast<const sockaddr*>(&x.storage);
  if (::getnameinfo(generic, x.length, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV)
      != 0)
    return "invalid address";
  const std::string name = host.data();
  return (x.storage.ss_family == AF_INET6 ? "[" + name + "]" : name) + ":" + port.data();
}

address with_port(address x, std::uint16_t port) {
  // The socket API keeps every address family in this one type.
  if (x.storage.ss_family == AF_INET)
    reinterpret_cast<sockaddr_in&>(x.storage).sin_port = htons(port);
  else if (x.storage.ss_family == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(x.storage).sin6_port = htons(port);
  return x;
}

bool is_loopback(const address& x) {
  if (x.storage.ss_family == AF_INET6) {
    sockaddr_in6 socket{};
    std::memcpy(&socket, &x.storage, sizeof(socket));
    return IN6_IS_ADDR_LOOPBACK(&socket.sin6_addr);
  }
  sockaddr_in socket{};
  std::memcpy(&socket, &x.storage, sizeof(socket));
  // All of 127.0.0.0/8 (RFC 1122 §3.2.1.3).
  return x.storage.ss_family == AF_INET && ntohl(socket.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool is_numeric(const std::string& host) {
  return look_up(host, 0, AI_NUMERICHOST).code == 0;
}

bool is_ipv6(const std::string& host) {
  in6_addr ignored{};
  // Behind a '%' comes an interface (RFC 4007 §11).
  return ::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &ignored) == 1;
}

result<std::vector<address>> resolve(const std::string& host, std::uint16_t port) {
  const auto outcome = look_up(host, port, 0);
  if (outcome.code != 0)
    return tl::unexpected{to_error(host, outcome)};
  std::vector<address> addresses;
  for (const addrinfo* x = outcome.found.get(); x != nullptr; x = x->ai_next) {
    const address next = to_address(*x);
    const auto is_next = [&](const address& known) { return is_same(known, next); };
    if (std::none_of(addresses.begin(), addresses.end(), is_next))
      addresses.push_back(next);
  }
  return addresses;
}

} // namespace sshexec::ssh
