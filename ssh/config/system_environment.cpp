#include "sshexec/ssh/child_process.hpp"
#include "sshexec/ssh/config/environment.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

namespace sshexec::ssh {

namespace {

using deadline_clock = std::chrono::steady_clock;

/// A file that never ends is not read to its end.
constexpr std::size_t largest_file = std::size_t{64} << 20;

tl::unexpected<error> failed(int code) {
  return tl::unexpected{error{file_error_kind(code), std::system_category().message(code)}};
}

tl::unexpected<error> failed(std::string text) {
  return tl::unexpected{error{error_kind::file, std::move(text)}};
}

struct account {
  std::string name;
  std::string home;
  gid_t group = 0;
};

/// Calls one of the functions that look an entry up, with room for what it finds.
template <class Entry, class Read, class LookUp>
auto look_entry_up(LookUp look_up, Read read) -> std::optional<decltype(read(Entry{}))> {
  Entry entry{};
  Entry* found = nullptr;
  std::vector<char> room(1 << 16);
  if (look_up(&entry, room.data(), room.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return read(entry);
}

std::optional<account> account_of(uid_t user) {
  return look_entry_up<passwd>([&](auto... x) { return ::getpwuid_r(user, x...); },
                               [](const passwd& x) {
                                 return account{x.pw_name, x.pw_dir, x.pw_gid};
                               });
}

std::optional<std::string> home_of_user(const std::string& user) {
  return look_entry_up<passwd>([&](auto... x) { return ::getpwnam_r(user.c_str(), x...); },
                               [](const passwd& x) { return std::string{x.pw_dir}; });
}

/// Whether a group is this user's own, as Debian's ssh understands it.
bool is_group_of(gid_t group, const account& user) {
  const auto members
    = look_entry_up<::group>([&](auto... x) { return ::getgrgid_r(group, x...); },
                             [](const ::group& x) {
                               std::vector<std::string> names;
                               for (char** name = x.gr_mem; *name != nullptr; ++name)
                                 names.emplace_back(*name);
                               return names;
                             });
  if (!members)
    return false;
  return members->empty() ? group == user.group
                          : members->size() == 1 && members->front() == user.name;
}

bool is_safe(const struct stat& file) {
  const uid_t user = ::getuid();
  if ((file.st_uid != 0 && file.st_uid != user) || (file.st_mode & S_IWOTH) != 0)
    return false;
  if ((file.st_mode & S_IWGRP) == 0)
    return true;
  const auto owner = account_of(user);
  return owner && is_group_of(file.st_gid, *owner);
}

result<std::string> read_to_end(int file) {
  std::string text;
  std::array<char, 1 << 16> buffer{};
  while (text.size() <= largest_file) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count < 0 && errno != EINTR)
      return failed(errno);
    if (count == 0)
      return text;
    text.append(buffer.data(), static_cast<std::size_t>(std::max(count, ssize_t{0})));
  }
  return failed(EFBIG);
}

result<std::optional<config_text>> read_config(const std::string& path) {
  // A pipe would block the opening until somebody writes to it.
  const file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file && (errno == ENOENT || errno == ENOTDIR))
    return std::nullopt;

  struct stat status {};

  if (!file || ::fstat(file.get(), &status) != 0)
    return failed(errno);
  if (!S_ISREG(status.st_mode))
    return config_text{{}, is_safe(status)};
  return read_to_end(file.get()).map([&](std::string text) {
    return std::optional{config_text{std::move(text), is_safe(status)}};
  });
}

/// Whether a folder that cannot be read ends a glob(3): one that may not be read holds nothing.
int ends_search(const char* /*folder*/, int code) {
  return is_shortage(code) ? 1 : 0;
}

result<std::vector<std::string>> find_files(const std::string& pattern) {
  glob_t found{};
  const int outcome = ::glob(pattern.c_str(), 0, ends_search, &found);
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner{&found, ::globfree};
  if (outcome == GLOB_ABORTED || outcome == GLOB_NOSPACE)
    return tl::unexpected{
      error{error_kind::shortage, "there is no room at the moment to look for " + pattern}};
  if (outcome != 0)
    return {};
  return std::vector<std::string>(found.gl_pathv, found.gl_pathv + found.gl_pathc);
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

/// Whether a descriptor becomes readable in time.
bool is_ready_in_time(int descriptor, deadline_clock::time_point deadline) {
  for (;;) {
    const auto left
      = std::chrono::ceil<std::chrono::milliseconds>(deadline - deadline_clock::now());
    if (left.count() <= 0)
      return false;
    pollfd news{descriptor, POLLIN, 0};
    const auto longest = std::chrono::milliseconds{std::chrono::hours{1}};
    if (::poll(&news, 1, static_cast<int>(std::min(left, longest).count())) > 0)
      return true;
  }
}

result<int> run_in_shell(const std::string& line, std::chrono::milliseconds patience) {
  // So that no clock overflows.
  const auto deadline
    = deadline_clock::now() + std::min(patience, std::chrono::milliseconds{std::chrono::hours{24}});
  auto shell = child_process::start({variable("SHELL").value_or("/bin/sh"), "-c", line}, {});
  if (!shell)
    return failed(shell.error());
  if (!is_ready_in_time(shell->end().get(), deadline))
    return failed("it did not end within " + std::to_string(patience.count()) + " ms");
  const int status = shell->wait();
  if (status != -1 && WIFEXITED(status))
    return WEXITSTATUS(status);
  return failed(status == -1 ? std::string{"nobody knows how it ended"}
                             : "it was ended by signal " + std::to_string(WTERMSIG(status)));
}

std::optional<std::string> canonical_name_of(const std::string& host, address_family family) {
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = family == address_family::any
                      ? AF_UNSPEC
                      : (family == address_family::inet ? AF_INET : AF_INET6);
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
    return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, ::freeaddrinfo};
  return found->ai_canonname == nullptr ? "" : found->ai_canonname;
}

std::string own_host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  // One that was cut short need not end.
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

} // namespace

config_environment system_environment(std::chrono::milliseconds patience) {
  const uid_t user = ::getuid();
  const account owner = account_of(user).value_or(
    account{variable("USER").value_or(""), variable("HOME").value_or(""), 0});
  config_environment result;
  result.home = owner.home;
  result.user = owner.name;
  result.user_id = user;
  result.host_name = own_host_name();
  result.variable = variable;
  result.home_of = home_of_user;
  result.read = read_config;
  result.stamp = [](const std::string& path) { return stamp_of(path); };
  result.find = find_files;
  result.run = [patience](const std::string& line) { return run_in_shell(line, patience); };
  result.look_up = canonical_name_of;
  return result;
}

} // namespace sshexec::ssh
