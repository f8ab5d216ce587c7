#include "sshexec/testing/real_server.hpp"

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/loopback.hpp"

#include <poll.h>
#include <pwd.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace sshexec::testing {

namespace {

constexpr const char* test_user = "sshexec-test";
constexpr auto server_start_bound = std::chrono::seconds{120};
/// Another process may take the port between its choice and its use.
constexpr int start_tries = 5;

/// The user that the server lets in, made if need be.
std::string login_user() {
  if (::geteuid() != 0) {
    const passwd* self = ::getpwuid(::geteuid());
    if (self == nullptr)
      throw std::runtime_error("the user who runs this has no name to log in with");
    return self->pw_name;
  }
  if (::getpwnam(test_user) == nullptr) {
    // Someone else may make the same user at the same moment; what counts is that it is there.
    run_program({"useradd", "--create-home", "--shell", "/bin/sh", test_user});
    // Without a password of any kind the account would count as locked.
    require_program({"usermod", "--password", "*", test_user});
  }
  return test_user;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

std::string read_file(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

} // namespace

real_server::real_server(program what, std::string address)
  : program_(std::move(what)), site_{directory_.path(), std::move(address), 0, {}} {
  if (::access(program_.path.c_str(), X_OK) != 0)
    throw std::runtime_error(program_.path + " is missing: install " + program_.package);
  site_.user = login_user();
  std::filesystem::permissions(directory_.path(), static_cast<std::filesystem::perms>(0755));
  make_key(identity_file());
  std::filesystem::copy(identity_file() + ".pub", directory_.path() / "authorized_keys");
  regenerate_host_key();
  for (int i = 0; i < start_tries && process_ == 0; ++i) {
    site_.port = free_port(site_.address);
    start();
  }
  if (process_ == 0)
    throw std::runtime_error(program_.path + " does not start: " + log());
}

real_server::~real_server() {
  stop();
}

std::string real_server::host_key_fingerprint() const {
  return key_fingerprint(site_.directory + "/host_key.pub");
}

std::size_t real_server::authentications() const {
  return occurrences(log(), program_.authentication_sign);
}

std::size_t real_server::connections() const {
  return occurrences(log(), program_.connection_sign);
}

std::string real_server::log() const {
  return read_file(site_.directory + "/log");
}

bool real_server::wait_for_log(const std::string& text, std::chrono::milliseconds bound) const {
  return wait_for_sign(text, 1, bound, [] { return true; });
}

void real_server::stop() {
  if (process_ == 0)
    return;
  suspend_listener();
  const auto sessions = stop_descendants_of(process_);
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  kill_and_wait(sessions);
  process_ = 0;
}

void real_server::restart() {
  stop();
  start();
  if (process_ == 0)
    throw std::runtime_error(program_.path + " does not start again: " + log());
}

void real_server::regenerate_host_key() {
  make_key(site_.directory + "/host_key");
}

void real_server::kill_sessions() {
  kill_and_wait(stop_descendants_of(process_));
}

void real_server::suspend() {
  suspend_listener();
  stop_descendants_of(process_);
}

void real_server::resume() {
  for (const pid_t process : descendants_of(process_))
    ::kill(process, SIGCONT);
  ::kill(process_, SIGCONT);
}

void real_server::start() {
  const arguments line = program_.prepare(site_);
  // The log goes on where an earlier start of this server left it.
  const std::size_t starts = occurrences(log(), program_.listening_sign);
  process_ = start_program(line);
  if (!wait_for_starts(starts + 1))
    stop();
}

bool real_server::wait_for_starts(std::size_t count) {
  return wait_for_sign(program_.listening_sign, count, server_start_bound,
                       [this] { return ::waitpid(process_, nullptr, WNOHANG) == 0; });
}

/// Gives up early when there is no hope any more.
bool real_server::wait_for_sign(const std::string& sign, std::size_t count,
                                std::chrono::milliseconds bound,
                                const std::function<bool()>& hope) const {
  // So often hope is looked for, and what a full queue of events may have hidden.
  constexpr std::chrono::milliseconds look_again{100};
  const ssh::file_descriptor watch{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  ::inotify_add_watch(watch.get(), site_.directory.c_str(), IN_MODIFY | IN_CREATE);
  const auto deadline = std::chrono::steady_clock::now() + bound;
  while (occurrences(log(), sign) < count) {
    if (std::chrono::steady_clock::now() >= deadline || !hope())
      return false;
    pollfd changed{watch.get(), POLLIN, 0};
    ::poll(&changed, 1, static_cast<int>(look_again.count()));
    std::array<char, 4096> events{};
    [[maybe_unused]] const auto size = ::read(watch.get(), events.data(), events.size());
  }
  return true;
}

/// Once it is stopped, it starts no session that would be missed.
void real_server::suspend_listener() {
  ::kill(process_, SIGSTOP);
  siginfo_t ignored{};
  ::waitid(P_PID, static_cast<id_t>(process_), &ignored, WSTOPPED | WEXITED | WNOWAIT);
}

} // namespace sshexec::testing
