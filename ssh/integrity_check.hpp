#pragma once

#include "sshexec/ssh/ciphers.hpp"
#include "sshexec/ssh/error.hpp"

#include <functional>
#include <string>

/// Whether the libssh at hand notices that data was altered on its way. Some do not check the tags
/// of AES-GCM (before CVE-2026-59847 was mended), and no version number tells them apart.
namespace sshexec::ssh {

/// What was found out about each family of ciphers that is offered.
struct integrity_verdict {
  [[nodiscard]] cipher_families left_out() const;

  /// Altered data is taken for genuine.
  cipher_families unsound = {};
  /// No session comes about, as where a policy of the system forbids the cipher.
  cipher_families unusable = {};
};

/// Does something to a message on its way, a packet as it is on the wire.
using alteration = std::function<void(std::string& packet)>;

/// Turns one bit of what the message carries, in front of which is nothing that a damage could be
/// noticed by but the integrity check.
void alter_one_bit(std::string& packet);

/// Has a client's and a server's session of libssh talk to each other in this process, once for
/// each family. Keeps the calling thread busy for some milliseconds, and waits for nothing. Fails
/// for want of descriptors or memory.
result<integrity_verdict> check_integrity(const alteration& alter = alter_one_bit);

/// The verdict on the libssh at hand, which the first call reaches for the whole process, and the
/// next one when that failed. May be called from any thread.
result<integrity_verdict> integrity_of_libssh();

} // namespace sshexec::ssh
