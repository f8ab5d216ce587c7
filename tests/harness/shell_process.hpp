#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sshexec::testing {

/// The number of a signal named as in RFC 4254 §6.10 ("TERM"); 0 for an unknown name.
int signal_number(const std::string& name);

/// /bin/sh -c LINE in a session of its own, with non-blocking pipes to its stdin, stdout and
/// stderr. Its process group is killed when this object goes, and if it has not ended by then, so
/// are all its descendants.
class shell_process {
public:
  /// How a process ended: one of the two.
  struct outcome {
    std::uint32_t exit_status = 0;
    /// Without "SIG"; empty for a process that exited.
    std::string signal = {};
    bool core_dumped = false;
  };

  /// The environment adds to this process's own. Throws `std::system_error`.
  shell_process(const std::string& line, const std::map<std::string, std::string>& environment);
  shell_process(const shell_process&) = delete;
  shell_process& operator=(const shell_process&) = delete;
  ~shell_process();

  /// The writing end of its stdin and the reading ends of the others; each may be closed by
  /// assignment.
  ssh::file_descriptor in;
  ssh::file_descriptor out;
  ssh::file_descriptor err;

  /// Readable when the process has ended (pidfd_open(2)).
  [[nodiscard]] int end_descriptor() const { return end_.get(); }

  /// How the process ended, if it has.
  [[nodiscard]] std::optional<outcome> ended() const;

  /// Sends a signal to its process group.
  void signal(int number) const;

private:
  pid_t process_ = 0;
  ssh::file_descriptor end_;
};

} // namespace sshexec::testing
