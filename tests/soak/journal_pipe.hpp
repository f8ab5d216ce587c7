#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sshexec::soak {

/// Counts the journal's lines of each task. The executor writes them into a pipe, so that a long
/// run fills no disk.
class journal_pipe {
public:
  /// Makes the pipe. Throws `std::system_error`.
  explicit journal_pipe(const std::string& path);
  journal_pipe(const journal_pipe&) = delete;
  journal_pipe& operator=(const journal_pipe&) = delete;
  /// To be called when the executor is gone.
  ~journal_pipe();

  /// Begins to read; to be called when the executor has opened the pipe.
  void start();

  /// From here on, lines of these tasks are expected, one of each, and no others.
  void expect(std::uint64_t first_task, std::uint64_t count);

  /// Waits until there is a line of each task; nothing, or what is wrong.
  std::optional<std::string> objection(std::chrono::seconds bound);

private:
  void read_lines();
  void count(const std::string& line);

  ssh::file_descriptor pipe_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t first_task_ = 0;
  std::vector<bool> seen_;
  std::uint64_t missing_ = 0;
  std::optional<std::string> unexpected_;
};

} // namespace sshexec::soak
