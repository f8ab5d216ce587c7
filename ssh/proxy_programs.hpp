#pragma once

#include "sshexec/ssh/carried_stream.hpp"
#include "sshexec/ssh/error.hpp"

#include <memory>
#include <string>

namespace sshexec::ssh {

/// Programs whose stdin and stdout are streams to servers (ssh_config(5), ProxyCommand). Each has a
/// process group of its own, which is killed when the program ends or its stream is closed; all are
/// when this object goes, which blocks until they are dead. One thread looks after them all.
class proxy_programs {
public:
  proxy_programs();
  proxy_programs(const proxy_programs&) = delete;
  proxy_programs& operator=(const proxy_programs&) = delete;
  ~proxy_programs();

  /// Starts the user's shell with a command line (posix_spawn(3)). When the program ends, the
  /// stream's note says how, and what it last wrote to stderr; then the stream ends.
  result<std::shared_ptr<carried_stream>> start(const std::string& line);

private:
  class keeper;

  /// Made with the first program.
  std::unique_ptr<keeper> keeper_;
};

} // namespace sshexec::ssh
