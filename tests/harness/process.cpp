#include "sshexec/testing/process.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sshexec::testing {

namespace {

/// The parent of a process, 0 for one that is gone or has only its exit status left.
pid_t parent_of(const std::filesystem::path& proc_entry) {
  std::ifstream file{proc_entry / "stat"};
  std::string stat;
  std::getline(file, stat);
  // The second field is the command's name in parentheses, which may hold anything.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > stat.size() || stat[name_end + 2] == 'Z')
    return 0;
  return static_cast<pid_t>(std::strtol(stat.c_str() + name_end + 4, nullptr, 10));
}

std::multimap<pid_t, pid_t> children_by_parent() {
  std::multimap<pid_t, pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto process = std::strtol(entry.path().filename().c_str(), nullptr, 10);
    if (process > 0)
      result.emplace(parent_of(entry.path()), static_cast<pid_t>(process));
  }
  return result;
}

void collect(const std::multimap<pid_t, pid_t>& children, pid_t parent,
             std::vector<pid_t>& found) {
  const auto [first, last] = children.equal_range(parent);
  for (auto i = first; i != last; ++i) {
    found.push_back(i->second);
    collect(children, i->second, found);
  }
}

} // namespace

pid_t start_program(const arguments& line) {
  std::vector<char*> words;
  words.reserve(line.size() + 1);
  for (const std::string& word : line)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t process = 0;
  const int status
    = ::posix_spawnp(&process, words.front(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (status != 0)
    throw std::system_error(status, std::system_category(), line.front());
  return process;
}

int run_program(const arguments& line) {
  const pid_t process = start_program(line);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void require_program(const arguments& line) {
  if (const int status = run_program(line); status != 0)
    throw std::runtime_error(line.front() + " failed with status " + std::to_string(status));
}

std::vector<pid_t> descendants_of(pid_t process) {
  std::vector<pid_t> found;
  collect(children_by_parent(), process, found);
  return found;
}

ssh::file_descriptor end_of(pid_t process) {
  // The wrapper in glibc 2.36 cannot be called from C++.
  return ssh::file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, process, 0))};
}

void kill_and_wait(const std::vector<pid_t>& processes) {
  for (const pid_t process : processes) {
    const auto handle = end_of(process);
    if (!handle)
      continue;
    ::kill(process, SIGKILL);
    pollfd end{handle.get(), POLLIN, 0};
    ::poll(&end, 1, -1);
  }
}

} // namespace sshexec::testing
