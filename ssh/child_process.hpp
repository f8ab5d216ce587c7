#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/types.h>
#include <tl/expected.hpp>

#include <string>
#include <vector>

namespace sshexec::ssh {

/// What a program is started with; -1 stands for /dev/null.
struct standard_streams {
  int input = -1;
  int output = -1;
  int errors = -1;
};

/// A program that was started in a process group of its own, with the signals as a login would
/// leave them and no other descriptors. It does not outlive this object, which blocks in its
/// destructor until the program is dead.
class child_process {
public:
  /// Starts a program, its path first, without a shell (posix_spawn(3)); else an `errno` value.
  static tl::expected<child_process, int> start(std::vector<std::string> line,
                                                const standard_streams& streams);

  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&&) = delete;
  /// Kills all of the group unless `wait` has returned.
  ~child_process();

  /// Readable when it has ended (pidfd_open(2)).
  [[nodiscard]] const file_descriptor& end() const { return end_; }

  /// Kills all of its group, also what a program that has ended left there; before `wait`, after
  /// which the number may be somebody else's.
  void kill_group() const;

  /// Blocks until it has ended; its status as of waitpid(2), or -1 if nobody knows.
  int wait();

private:
  child_process(pid_t id, file_descriptor end);

  /// 0 for a child that is gone.
  pid_t id_ = 0;
  file_descriptor end_;
};

} // namespace sshexec::ssh
