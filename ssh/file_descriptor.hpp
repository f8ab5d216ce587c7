#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace sshexec::ssh {

/// Owns an open file descriptor.
class file_descriptor {
public:
  file_descriptor() = default;

  explicit file_descriptor(int value) : value_(value) {}

  file_descriptor(file_descriptor&& other) noexcept : value_(other.release()) {}

  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  ~file_descriptor() {
    if (value_ >= 0)
      ::close(value_);
  }

  [[nodiscard]] int get() const { return value_; }

  int release() { return std::exchange(value_, -1); }

  explicit operator bool() const { return value_ >= 0; }

private:
  int value_ = -1;
};

/// Whether a descriptor that was just opened is one of the last few that a process may have with
/// this limit: the kernel gives out the lowest number that is free (open(2)).
bool is_one_of_the_last(int descriptor, std::uint64_t limit);

/// The same with this process's limit (getrlimit(2), RLIMIT_NOFILE).
bool is_one_of_the_last(int descriptor);

struct pipe_ends {
  file_descriptor reading;
  file_descriptor writing;
};

/// A pipe that programs which are started do not inherit; no ends, and `errno`, when there are no
/// descriptors left.
inline pipe_ends make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return {};
  return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
}

struct socket_pair {
  file_descriptor first;
  file_descriptor second;
};

/// Non-blocking streams that are connected to each other (unix(7)) and that programs which are
/// started do not inherit; none, and `errno`, when there are no descriptors left.
inline socket_pair make_socket_pair() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return {};
  return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
}

} // namespace sshexec::ssh
