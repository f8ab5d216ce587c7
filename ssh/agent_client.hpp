#pragma once

#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// A conversation with an SSH agent over its socket, one question at a time, that never blocks. It
/// is advanced by its owner, who is notified when that is worth while, and gives up waiting by
/// destroying it. An agent with too many callers is called again until it answers.
class agent_client {
public:
  /// Connects; a failure is told by `advance`.
  agent_client(std::string path, poller& sockets, poller::notify_function notify);

  /// Sends a message: its type and contents, without their length.
  void ask(std::string_view message);

  /// The answer to the question, in the same form, or why there will be none; nothing while it is
  /// not there yet. Errors name the socket; their kind is that of `file_error_kind`.
  std::optional<result<std::string>> advance();

private:
  void connect();
  void call_again_later();
  void send();
  void receive();
  void fail(int code);
  void fail(error_kind kind, const std::string& what);

  std::string path_;
  poller& sockets_;
  poller::notify_function notify_;
  file_descriptor socket_;
  bool is_connected_ = false;
  /// Tells when to call again.
  file_descriptor timer_;
  // Declared behind both, one of which it watches, so that it leaves the poller before they close.
  poller::registration registration_;
  std::string unsent_;
  std::string received_;
  std::optional<error> failure_;
};

} // namespace sshexec::ssh
