#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <caf/io/doorman.hpp>
#include <caf/io/network/acceptor.hpp>
#include <caf/io/network/default_multiplexer.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

/// Gives CAF connections that were made elsewhere: their descriptors come as `int`s through a
/// socket of this process.
class handoff_doorman : public caf::io::doorman {
public:
  /// `port` is the one that peers connected to, under which CAF keeps what is published there.
  handoff_doorman(caf::io::network::default_multiplexer& backend, ssh::file_descriptor handoff,
                  std::uint16_t port);

  bool new_connection() override;
  void graceful_shutdown() override;
  void launch() override;
  std::string addr() const override;
  std::uint16_t port() const override;
  void add_to_loop() override;
  void remove_from_loop() override;

private:
  class receiver : public caf::io::network::acceptor {
  public:
    using acceptor::acceptor;
    void handle_event(caf::io::network::operation op) override;
  };

  receiver receiver_;
  std::uint16_t port_;
};

} // namespace sshexec
