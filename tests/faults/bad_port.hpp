#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <cstdint>
#include <vector>

namespace sshexec::test {

/// A loopback port of our own where no connection comes about.
class bad_port {
public:
  enum class kind : std::uint8_t {
    /// Attempts to connect are refused.
    refusing,
    /// Attempts to connect hear nothing, as if a cable were cut: the queue of new connections is
    /// full.
    unanswered,
  };

  explicit bad_port(kind what);

  [[nodiscard]] std::uint16_t number() const { return number_; }

private:
  void fill_queue();

  ssh::file_descriptor socket_;
  std::vector<ssh::file_descriptor> queued_;
  std::uint16_t number_ = 0;
};

} // namespace sshexec::test
