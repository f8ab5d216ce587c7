#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// A conversation with an SSH agent over its socket, one question at a time, that never blocks. It
/// is advanced by its owner, who is notified when that is worth while.
class agent_client {
public:
  /// Connects; a failure is told by `advance`.
  agent_client(const std::string& path, poller& sockets, poller::notify_function notify);

  /// Sends a message: its type and contents, without their length.
  void ask(std::string_view message);

  /// The answer to the question, in the same form, or why there will be none; nothing while it is
  /// not there yet. Errors are of kind `file` and name the socket.
  std::optional<result<std::string>> advance();

private:
  [[nodiscard]] error trouble(const std::string& what) const;
  void connect();
  void send();
  void receive();
  void fail(const std::string& what);

  std::string path_;
  file_descriptor socket_;
  // Declared behind the socket, so that it leaves the poller before the socket closes.
  poller::registration registration_;
  std::string unsent_;
  std::string received_;
  std::optional<error> failure_;
};

} // namespace sshexec::ssh
