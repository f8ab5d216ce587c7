#include "sshexec/testing/shell_process.hpp"

#include "sshexec/testing/process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <system_error>
#include <vector>

namespace sshexec::testing {

namespace {

using ssh::file_descriptor;

void require(int error, const char* what) {
  if (error != 0)
    throw std::system_error(error, std::system_category(), what);
}

/// The process sees ordinary pipes: only our ends of them do not block.
file_descriptor non_blocking(file_descriptor pipe) {
  ::fcntl(pipe.get(), F_SETFL, ::fcntl(pipe.get(), F_GETFL) | O_NONBLOCK);
  return pipe;
}

class spawn_actions {
public:
  spawn_actions(const file_descriptor& in, const file_descriptor& out, const file_descriptor& err) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, in.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, out.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, err.get(), STDERR_FILENO);
    // Whoever embeds us may have descriptors that are not close-on-exec.
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }

  spawn_actions(const spawn_actions&) = delete;
  spawn_actions& operator=(const spawn_actions&) = delete;

  ~spawn_actions() { ::posix_spawn_file_actions_destroy(&actions_); }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
  posix_spawn_file_actions_t actions_{};
};

/// A session of its own, and signals as a login would leave them.
class spawn_attributes {
public:
  spawn_attributes() {
    sigset_t signals{};
    ::posix_spawnattr_init(&attributes_);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;

  ~spawn_attributes() { ::posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const { return &attributes_; }

private:
  posix_spawnattr_t attributes_{};
};

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('='))))
      result.push_back(text);
  }
  for (const auto& [name, value] : added)
    result.push_back(name + '=' + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

} // namespace

int signal_number(const std::string& name) {
  for (int number = 1; number < NSIG; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known)
      return number;
  }
  return 0;
}

shell_process::shell_process(const std::string& line,
                             const std::map<std::string, std::string>& environment) {
  auto [child_in, our_in] = open_pipe();
  auto [our_out, child_out] = open_pipe();
  auto [our_err, child_err] = open_pipe();
  in = non_blocking(std::move(our_in));
  out = non_blocking(std::move(our_out));
  err = non_blocking(std::move(our_err));

  std::vector<std::string> words{"/bin/sh", "-c", line};
  std::vector<std::string> variables = merged_environment(environment);
  const spawn_actions actions{child_in, child_out, child_err};
  const spawn_attributes attributes;
  require(::posix_spawn(&process_, words.front().c_str(), actions.get(), attributes.get(),
                        pointers(words).data(), pointers(variables).data()),
          "/bin/sh");
  end_ = end_of(process_);
}

shell_process::~shell_process() {
  signal(SIGSTOP);
  // A search that is worth its time only for a process that is cut short.
  const auto others = ended() ? std::vector<pid_t>{} : stop_descendants_of(process_);
  signal(SIGKILL);
  kill_and_wait(others);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<shell_process::outcome> shell_process::ended() const {
  siginfo_t info{};
  // The process stays a zombie as long as this object lives, so that the number of its group goes
  // to nobody else.
  if (::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) != 0
      || info.si_pid == 0)
    return std::nullopt;
  if (info.si_code == CLD_EXITED)
    return outcome{static_cast<std::uint32_t>(info.si_status)};
  const char* name = ::sigabbrev_np(info.si_status);
  return outcome{0, name != nullptr ? name : "UNKNOWN", info.si_code == CLD_DUMPED};
}

void shell_process::signal(int number) const {
  ::kill(-process_, number);
}

} // namespace sshexec::testing
