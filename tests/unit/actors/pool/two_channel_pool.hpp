#pragma once

#include "simulated_pool.hpp"

namespace sshexec::test {

/// Two channels for each machine, whose servers answer keep-alives.
struct two_channel_pool : simulated_pool {
  static settings wanted() {
    settings result = default_settings();
    result.max_channels = 2;
    return result;
  }

  two_channel_pool() : simulated_pool(wanted()) {
    network.on_dial = [](simulated_connection& connection) {
      connection.answers_keepalives = true;
      connection.emit(ssh::event::authenticated{});
    };
  }
};

} // namespace sshexec::test
