#include "sshexec/ssh/child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace sshexec::ssh {

namespace {

class spawn_setup {
public:
  explicit spawn_setup(const standard_streams& streams) {
    ::posix_spawn_file_actions_init(&actions_);
    connect(streams.input, STDIN_FILENO, O_RDONLY);
    connect(streams.output, STDOUT_FILENO, O_WRONLY);
    connect(streams.errors, STDERR_FILENO, O_WRONLY);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t signals{};
    ::posix_spawnattr_init(&attributes_);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
                                               | POSIX_SPAWN_SETSIGDEF);
  }

  spawn_setup(const spawn_setup&) = delete;
  spawn_setup& operator=(const spawn_setup&) = delete;

  ~spawn_setup() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }

  /// 0, or an `errno` value.
  int spawn(pid_t& process, std::vector<std::string>& line) const {
    std::vector<char*> words;
    words.reserve(line.size() + 1);
    for (std::string& word : line)
      words.push_back(word.data());
    words.push_back(nullptr);
    return ::posix_spawn(&process, words.front(), &actions_, &attributes_, words.data(), environ);
  }

private:
  void connect(int ours, int theirs, int mode) {
    if (ours < 0)
      ::posix_spawn_file_actions_addopen(&actions_, theirs, "/dev/null", mode, 0);
    else
      ::posix_spawn_file_actions_adddup2(&actions_, ours, theirs);
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

} // namespace

tl::expected<child_process, int> child_process::start(std::vector<std::string> line,
                                                      const standard_streams& streams) {
  pid_t id = 0;
  if (const int code = spawn_setup{streams}.spawn(id, line))
    return tl::unexpected{code};
  child_process result{id, file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, id, 0))}};
  if (!result.end())
    return tl::unexpected{errno};
  return result;
}

child_process::child_process(pid_t id, file_descriptor end) : id_(id), end_(std::move(end)) {}

child_process::child_process(child_process&& other) noexcept
  : id_(std::exchange(other.id_, 0)), end_(std::move(other.end_)) {}

child_process::~child_process() {
  if (id_ == 0)
    return;
  kill_group();
  wait();
}

void child_process::kill_group() const {
  if (id_ != 0)
    ::kill(-id_, SIGKILL);
}

int child_process::wait() {
  const pid_t id = std::exchange(id_, 0);
  int status = -1;
  while (::waitpid(id, &status, 0) < 0)
    if (errno != EINTR)
      return -1;
  return status;
}

} // namespace sshexec::ssh
