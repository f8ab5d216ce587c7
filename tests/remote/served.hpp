#pragma once

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace sshexec::test {

/// A process of the tool with its output.
class tool_process {
public:
  explicit tool_process(const testing::arguments& line) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw std::system_error(errno, std::system_category(), "pipe2");
    const ssh::file_descriptor output{ends[1]};
    output_.reset(::fdopen(ends[0], "r"));
    process_ = testing::start_program(line, output.get());
  }

  tool_process(const tool_process&) = delete;
  tool_process& operator=(const tool_process&) = delete;

  ~tool_process() {
    if (process_ > 0) {
      signal(SIGKILL);
      wait();
    }
  }

  void signal(int number) const { ::kill(process_, number); }

  [[nodiscard]] bool has_ended() const {
    siginfo_t seen{};
    ::waitid(P_PID, static_cast<id_t>(process_), &seen, WEXITED | WNOHANG | WNOWAIT);
    return seen.si_pid == process_;
  }

  /// Waits for its end; the exit code, or minus the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(process_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Waits for the next line of its output; empty at the end.
  std::string read_line() {
    std::string line;
    for (int c = std::getc(output_.get()); c != EOF && c != '\n'; c = std::getc(output_.get()))
      line += static_cast<char>(c);
    return line;
  }

private:
  struct closer {
    void operator()(std::FILE* x) const { std::fclose(x); }
  };

  std::unique_ptr<std::FILE, closer> output_;
  pid_t process_ = 0;
};

/// `sshexec serve` on a loopback port, ready.
class served {
public:
  explicit served(testing::arguments options, const std::string& listen = "127.0.0.1:0")
    : process_(command_line(std::move(options), listen)) {
    const std::string line = process_.read_line();
    const std::string before = "sshexec: listening on 127.0.0.1:";
    if (!line.starts_with(before))
      throw std::runtime_error("sshexec serve said '" + line + '\'');
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(before.size())));
  }

  tool_process& process() { return process_; }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  static testing::arguments command_line(testing::arguments options, const std::string& listen) {
    testing::arguments result{SSHEXEC_TOOL, "serve", "--listen", listen};
    result.insert(result.end(), options.begin(), options.end());
    return result;
  }

  tool_process process_;
  std::uint16_t port_ = 0;
};

} // namespace sshexec::test
