#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sshexec::bench {

/// What is to be measured. The names of the options are those of the rivals.
struct options {
  std::string mode = "seq";
  std::uint16_t port = 2300;
  std::string user = "root";
  std::string key;
  std::string line = "true";
  std::size_t commands = 1000;
  std::size_t concurrency = 10;
  std::size_t machines = 100;
  /// How long idle machines are watched.
  std::size_t seconds = 10;
  /// Seconds between keep-alives; 0 for the executor's default.
  std::size_t keepalive = 0;
  /// Threads of CAF's scheduler; 0 for CAF's default.
  std::size_t scheduler_threads = 0;
};

} // namespace sshexec::bench
