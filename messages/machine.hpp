#pragma once

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

/// A target that commands run on. Two machines that differ in any field are two machines to the
/// executor, so a changed address never meets a connection made to the old one.
struct machine {
  /// The caller's own name for the machine, as it appears in the journal. May be empty.
  std::string id;
  /// A host name, an IPv4 or an IPv6 address (without brackets).
  std::string hostname;
  std::uint16_t port = 22;
  /// Empty: the executor's default user (setting `sshexec.user`).
  std::string username;
  /// Path of the private key on the executor's host. Empty: the executor's default keys.
  std::string identity_file;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, machine& x) {
  return f(caf::meta::type_name("machine"), x.id, x.hostname, x.port, x.username, x.identity_file);
}

bool operator==(const machine& a, const machine& b);
bool operator<(const machine& a, const machine& b);

/// "user@host:port", with brackets around an IPv6 address; the form all messages to people use.
std::string to_address(const machine& x);

} // namespace sshexec
