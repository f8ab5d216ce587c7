#pragma once

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sshexec::testing {

/// An SSH server that breaks the connection protocol (RFC 4254) in ways that no library's server
/// can be made to: a process of its own on a free port of the loopback interface, which lets in
/// whoever has its client key, under any user name, and ends with this object. Its channels do what
/// the command line says, and send it in one piece; after the word "slowly" each message waits
/// until the client has read the one before. Unless told otherwise an exec request is granted and
/// the channel ends properly, with exit status 0. A line that is not one of these is refused:
///
/// - say TEXT; echo [N]: prints TEXT, or its stdin, exchanging keys after every N bytes
/// - openings HOW...: what becomes of the next channels of this connection, one after another:
///   "confirm:WINDOW:PACKET", with the sizes it takes, "refuse:REASON" (RFC 4254 §5.1),
///   "confirm-twice", "confirm-and-refuse", "confirm-and-close", or "hang-up" of the connection
/// - until-refusal: ends when a channel of this connection was refused; wait-for-stdin: when its
///   input has ended
/// - data-past-window N: N bytes more than the client's window takes, and on stderr how many in all
/// - data-after-eof, data-after-close, second-eof, second-close: "before", and "after" too late
/// - request-after-close, second-exit-status: exit status 3, then 4 and a signal;
///   exit-status-before-output: 3, then "late"
/// - exit-signal NAME, unprintable-exit-signal, nameless-exit-signal, malformed-exit-signal,
///   malformed-exit-status, exit-status-after-close: no other exit status
/// - close-without-outcome: "partial" and CLOSE; close-for-answer: a mere CLOSE
/// - output-before-answer: "early"; second-answer success|failure; outcome-of-refused
/// - rekey N: "before ", and after each of N key exchanges "after "
/// - global-request NAME, channel-request NAME [FIELD...], open-channel TYPE: prints the number of
///   the message that the client answers with
/// - unknown-message NUMBER: "unimplemented" or "ignored", as the client takes it
/// - noise: IGNORE, DEBUG and UNIMPLEMENTED, some malformed, around "clear"
/// - foreign-channel NUMBER: ends a channel that is not open; window-overflow: more than 2^32
/// - disconnect REASON (RFC 4253 §11.1); broken-packet LENGTH: a packet that says it is so long and
///   is not authentic, after "partial"
/// - stop-reading: prints "partial" and reads nothing any more, on the whole connection
class hostile_peer {
public:
  /// Throws `std::runtime_error` when the peer does not start, such as when python3-asyncssh is not
  /// installed.
  hostile_peer();
  hostile_peer(const hostile_peer&) = delete;
  hostile_peer& operator=(const hostile_peer&) = delete;
  ~hostile_peer();

  [[nodiscard]] const std::string& host() const { return host_; }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Path of the private key that the peer accepts.
  [[nodiscard]] std::string client_key_file() const { return directory_.path() / "client_key"; }

private:
  temporary_directory directory_;
  std::string host_ = "127.0.0.1";
  /// The peer's stdout; it ends when this is closed.
  ssh::file_descriptor output_;
  pid_t process_ = 0;
  std::uint16_t port_ = 0;
};

} // namespace sshexec::testing
