#pragma once

#include "hub.hpp"
#include "sshexec/testing/process.hpp"

#include <csignal>
#include <string>

namespace sshexec::test {

/// The process whose number an ended command had printed. If it lives on, it ends with this.
class printed_process {
public:
  explicit printed_process(const answer& of_command)
    : number_(std::stoi(of_command.what().output.stdout_data)) {}

  printed_process(const printed_process&) = delete;
  printed_process& operator=(const printed_process&) = delete;

  ~printed_process() {
    if (is_running())
      ::kill(number_, SIGKILL);
  }

  [[nodiscard]] bool is_running() const { return testing::is_running(number_); }

private:
  pid_t number_;
};

} // namespace sshexec::test
