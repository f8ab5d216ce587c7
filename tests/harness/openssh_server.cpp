#include "sshexec/testing/openssh_server.hpp"

#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/process.hpp"

#include <poll.h>
#include <pwd.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace sshexec::testing {

namespace {

constexpr const char* sshd = "/usr/sbin/sshd";
constexpr const char* test_user = "sshexec-test";
constexpr auto start_bound = std::chrono::seconds{10};
/// Another process may take the port between its choice and its use.
constexpr int start_tries = 5;

void require_sshd() {
  if (::access(sshd, X_OK) != 0)
    throw std::runtime_error(std::string{sshd} + " is missing: install openssh-server");
}

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

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

} // namespace

void make_key(const std::string& path, const std::string& passphrase) {
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".pub");
  require_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path});
}

std::string key_fingerprint(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> output{
    ::popen(("ssh-keygen -l -f '" + path + '\'').c_str(), "r"), ::pclose};
  std::array<char, 512> line{};
  if (!output || ::fgets(line.data(), line.size(), output.get()) == nullptr)
    throw std::runtime_error("ssh-keygen tells no fingerprint of " + path);
  std::istringstream words{line.data()};
  std::string bits;
  std::string fingerprint;
  words >> bits >> fingerprint;
  return fingerprint;
}

openssh_server::openssh_server(options wanted) : options_(std::move(wanted)) {
  require_sshd();
  user_ = login_user();
  std::filesystem::permissions(directory_.path(), static_cast<std::filesystem::perms>(0755));
  make_key(identity_file());
  std::filesystem::copy(identity_file() + ".pub", directory_.path() / "authorized_keys");
  regenerate_host_key();
  for (int i = 0; i < start_tries && process_ == 0; ++i) {
    port_ = free_port(options_.address);
    start();
  }
  if (process_ == 0)
    throw std::runtime_error("sshd does not start: " + log());
}

openssh_server::~openssh_server() {
  stop();
}

std::string openssh_server::host_key_fingerprint() const {
  return key_fingerprint(directory_.path() / "host_key.pub");
}

std::size_t openssh_server::authentications() const {
  return occurrences(log(), "Accepted publickey");
}

std::size_t openssh_server::connections() const {
  return occurrences(log(), "Connection from ");
}

std::string openssh_server::log() const {
  return read_file(directory_.path() / "log");
}

void openssh_server::stop() {
  if (process_ == 0)
    return;
  suspend_listener();
  const auto sessions = stop_descendants_of(process_);
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  kill_and_wait(sessions);
  process_ = 0;
}

void openssh_server::restart() {
  stop();
  start();
  if (process_ == 0)
    throw std::runtime_error("sshd does not start again: " + log());
}

void openssh_server::regenerate_host_key() {
  make_key(directory_.path() / "host_key");
}

void openssh_server::kill_sessions() {
  kill_and_wait(stop_descendants_of(process_));
}

void openssh_server::suspend() {
  suspend_listener();
  stop_descendants_of(process_);
}

void openssh_server::resume() {
  for (const pid_t process : descendants_of(process_))
    ::kill(process, SIGCONT);
  ::kill(process_, SIGCONT);
}

void openssh_server::start() {
  // Its place for privilege separation, which only a service manager would make.
  if (::geteuid() == 0)
    std::filesystem::create_directories("/run/sshd");
  write_configuration();
  // The log goes on where an earlier start of this server left it.
  const std::size_t starts = occurrences(log(), listening_sign());
  process_ = start_program(
    {sshd, "-D", "-f", directory_.path() / "sshd_config", "-E", directory_.path() / "log"});
  if (!wait_for_starts(starts + 1))
    stop();
}

void openssh_server::write_configuration() {
  const std::string folder = directory_.path();
  std::ofstream file{folder + "/sshd_config"};
  file << options_.configuration << "\nListenAddress " << options_.address << "\nPort " << port_
       << "\nHostKey " << folder << "/host_key\nAuthorizedKeysFile " << folder
       << "/authorized_keys\nPidFile none\nLogLevel " << options_.log_level
       << "\nStrictModes no\nUsePAM no\n"
          "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 1000\n"
          "PrintMotd no\n";
}

std::string openssh_server::listening_sign() const {
  return "Server listening on " + options_.address + " port " + std::to_string(port_) + '.';
}

bool openssh_server::wait_for_starts(std::size_t count) {
  const int watch = ::inotify_init1(IN_CLOEXEC);
  ::inotify_add_watch(watch, directory_.path().c_str(), IN_MODIFY | IN_CREATE);
  const auto deadline = std::chrono::steady_clock::now() + start_bound;
  bool listening = false;
  while (!(listening = occurrences(log(), listening_sign()) >= count)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
    std::array<char, 4096> events{};
    pollfd changed{watch, POLLIN, 0};
    if (left.count() <= 0 || ::waitpid(process_, nullptr, WNOHANG) != 0
        || ::poll(&changed, 1, static_cast<int>(left.count())) <= 0)
      break;
    [[maybe_unused]] const auto size = ::read(watch, events.data(), events.size());
  }
  ::close(watch);
  return listening;
}

/// Once it is stopped, it starts no session that would be missed.
void openssh_server::suspend_listener() {
  ::kill(process_, SIGSTOP);
  siginfo_t ignored{};
  ::waitid(P_PID, static_cast<id_t>(process_), &ignored, WSTOPPED | WEXITED | WNOWAIT);
}

} // namespace sshexec::testing
