#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace sshexec::testing {

using arguments = std::vector<std::string>;

/// A pipe that programs which are started do not inherit. Throws `std::system_error` when there are
/// no descriptors left.
ssh::pipe_ends open_pipe();

/// Starts a program, found through PATH unless its name holds a slash, with nothing on its stdin
/// and this descriptor as its stdout. Throws `std::system_error` when it cannot be started.
pid_t start_program(const arguments& line, int output = STDOUT_FILENO);

/// Runs a program to its end and returns its exit status; -1 when a signal ended it.
int run_program(const arguments& line);

/// Like `run_program`, but anything other than success is a `std::runtime_error`.
void require_program(const arguments& line);

/// Whether a process lives; one that has only its exit status left does not.
bool is_running(pid_t process);

/// All living processes that descend from this one, itself not included.
std::vector<pid_t> descendants_of(pid_t process);

/// Stops (SIGSTOP) all processes that descend from this one and returns them; those that it starts
/// meanwhile may be missed unless it is stopped itself.
std::vector<pid_t> stop_descendants_of(pid_t process);

/// Becomes readable when the process ends (pidfd_open(2)); empty for one that is gone.
ssh::file_descriptor end_of(pid_t process);

/// Kills processes and returns when they are gone.
void kill_and_wait(const std::vector<pid_t>& processes);

} // namespace sshexec::testing
