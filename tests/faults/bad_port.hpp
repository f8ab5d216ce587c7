#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <netinet/in.h>

#include <cstdint>
#include <vector>

namespace sshexec::test {

/// A port of a loopback address of its own, where no connection comes about.
class bad_port {
public:
  enum class kind : std::uint8_t {
    /// Attempts to connect are refused.
    refusing,
    /// Attempts to connect hear nothing, as if a cable were cut: the queue of new connections is
    /// full.
    unanswered,
  };

  /// Another loopback address than that of the servers, so that their ports can be had there, too.
  static constexpr const char* host = "127.0.0.2";

  bad_port(kind what, std::uint16_t number);

private:
  void fill_queue(const sockaddr_in& address);

  ssh::file_descriptor socket_;
  std::vector<ssh::file_descriptor> queued_;
};

} // namespace sshexec::test
