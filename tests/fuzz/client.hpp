#pragma once

#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <memory>
#include <vector>

namespace sshexec::fuzz {

/// A connection of ours over loopback, to a server that the fuzz target plays.
class client {
public:
  /// Begins to connect.
  explicit client(ssh::private_keys keys = {});

  /// The server's end, once the transport is connected.
  static ssh::file_descriptor accept();

  /// What happened; checks that nothing does behind `lost`, and that there is a reason for it.
  std::vector<ssh::connection_event> advance();

  /// Waits until there is something to do, or to be read from another descriptor.
  static void wait(int other = -1);

  [[nodiscard]] bool lost() const { return lost_; }

  ssh::connection* operator->() const { return connection_.get(); }

private:
  std::unique_ptr<ssh::connection> connection_;
  bool lost_ = false;
};

} // namespace sshexec::fuzz
