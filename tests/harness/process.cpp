#include "sshexec/testing/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace sshexec::testing {

namespace {

/// As proc(5) tells it.
struct process_status {
  pid_t parent = 0;
  char state = 'X';

  [[nodiscard]] bool is_alive() const { return state != 'X' && state != 'Z'; }

  /// It will do nothing more by itself.
  [[nodiscard]] bool is_still() const { return state == 'T' || !is_alive(); }
};

process_status status_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string stat;
  std::getline(file, stat);
  process_status result;
  // The second field is the command's name in parentheses, which may hold anything.
  if (const auto name_end = stat.rfind(')'); name_end != std::string::npos)
    std::istringstream{stat.substr(name_end + 1)} >> result.state >> result.parent;
  return result;
}

std::multimap<pid_t, pid_t> children_by_parent() {
  std::multimap<pid_t, pid_t> result;
  // ThreadSanitizer does not see what std::filesystem opens, and takes its end for a race.
  const std::unique_ptr<DIR, int (*)(DIR*)> entries{::opendir("/proc"), ::closedir};
  while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {
    const auto process = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (const auto status = status_of(process); process > 0 && status.is_alive())
      result.emplace(status.parent, process);
  }
  return result;
}

/// A process deep in the kernel stops only when it comes back from there.
constexpr auto stop_bound = std::chrono::seconds{10};

void collect(const std::multimap<pid_t, pid_t>& children, pid_t parent, std::vector<pid_t>& found) {
  const auto [first, last] = children.equal_range(parent);
  for (auto i = first; i != last; ++i) {
    found.push_back(i->second);
    collect(children, i->second, found);
  }
}

} // namespace

ssh::pipe_ends open_pipe() {
  ssh::pipe_ends pipe = ssh::make_pipe();
  if (!pipe.reading)
    throw std::system_error(errno, std::system_category(), "pipe2");
  return pipe;
}

pid_t start_program(const arguments& line, int output) {
  std::vector<char*> words;
  words.reserve(line.size() + 1);
  for (const std::string& word : line)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output != STDOUT_FILENO)
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
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

bool is_running(pid_t process) {
  return status_of(process).is_alive();
}

std::vector<pid_t> descendants_of(pid_t process) {
  std::vector<pid_t> found;
  collect(children_by_parent(), process, found);
  return found;
}

std::vector<pid_t> stop_descendants_of(pid_t process) {
  const auto deadline = std::chrono::steady_clock::now() + stop_bound;
  std::vector<pid_t> stopped;
  std::vector<pid_t> found = descendants_of(process);
  const auto is_still = [](pid_t x) { return status_of(x).is_still(); };
  // Until all of them stand still, each may have started another one.
  while ((found != stopped || !std::ranges::all_of(found, is_still))
         && std::chrono::steady_clock::now() < deadline) {
    for (const pid_t x : found)
      ::kill(x, SIGSTOP);
    stopped = std::exchange(found, descendants_of(process));
  }
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
