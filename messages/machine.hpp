#pragma once

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sshexec {

/// A machine that another one is reached through (ssh's ProxyJump).
struct jump {
  /// A host name, an IPv4 or an IPv6 address (without brackets), as the jump before it knows it.
  std::string hostname;
  /// 0: what the executor's OpenSSH configuration says, or 22.
  std::uint16_t port = 22;
  /// Empty: the executor's default user.
  std::string username;
  /// As of a machine.
  std::string identity_file;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, jump& x) {
  return f(caf::meta::type_name("jump"), x.hostname, x.port, x.username, x.identity_file);
}

bool operator==(const jump& a, const jump& b);
bool operator<(const jump& a, const jump& b);

/// A target that commands run on. Two machines that differ in any field are two machines to the
/// executor, so a changed address never meets a connection made to the old one.
struct machine {
  /// The caller's own name for the machine, as it appears in the journal. May be empty.
  std::string id;
  /// A host name, an IPv4 or an IPv6 address (without brackets).
  std::string hostname;
  /// 0: what the executor's OpenSSH configuration says (setting `sshexec.ssh-config`), or 22.
  std::uint16_t port = 22;
  /// Empty: the executor's default user (setting `sshexec.user`).
  std::string username;
  /// Path of the private key on the executor's host. Empty: the executor's default keys.
  std::string identity_file;
  /// The jumps on the way to it, the nearest one first; none: it is reached directly. Each is
  /// checked by a host key of its own, and all that go through the same jumps share one connection
  /// to them.
  std::vector<jump> via = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, machine& x) {
  return f(caf::meta::type_name("machine"), x.id, x.hostname, x.port, x.username, x.identity_file,
           x.via);
}

bool operator==(const machine& a, const machine& b);
bool operator<(const machine& a, const machine& b);

/// The last jump on the way to a machine, which has some, as a machine itself.
machine last_jump(const machine& x);

/// "user@host:port", with brackets around an IPv6 address, and without what is not told; the form
/// all messages to people use.
std::string to_address(const machine& x);

} // namespace sshexec
