#pragma once

#include "sshexec/ssh/config/environment.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::test {

/// A system of which a configuration sees what a test puts there.
struct played_system {
  std::map<std::string, std::string> files = {};
  /// Files to which others may write.
  std::vector<std::string> unsafe_files = {};
  std::map<std::string, std::string> variables = {};
  /// Exit statuses of commands; any other command cannot be run.
  std::map<std::string, int> commands = {};
  /// Hosts that name servers know, and their canonical names.
  std::map<std::string, std::string> hosts = {};
  /// Whether files and commands find no descriptors.
  bool is_short = false;
  /// What was asked of it.
  std::vector<std::string> commands_run = {};
  std::vector<std::string> hosts_looked_up = {};
  std::size_t files_read = 0;

  /// Must not outlive this object.
  ssh::config_environment environment() {
    ssh::config_environment result;
    result.home = "/home/me";
    result.user = "me";
    result.user_id = 1000;
    result.host_name = "desk.example.org";
    result.variable = [this](const std::string& name) { return find_in(variables, name); };
    result.home_of = [](const std::string& user) {
      return user == "other" ? std::optional<std::string>{"/home/other"} : std::nullopt;
    };
    result.read = [this](const std::string& path) { return read(path); };
    result.stamp = [this](const std::string& path) { return stamp(path); };
    result.find = [this](const std::string& pattern) { return find(pattern); };
    result.run = [this](const std::string& line) { return run(line); };
    result.look_up = [this](const std::string& host, ssh::address_family) {
      hosts_looked_up.push_back(host);
      return find_in(hosts, host);
    };
    return result;
  }

private:
  static std::optional<std::string> find_in(const std::map<std::string, std::string>& values,
                                            const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional{found->second};
  }

  ssh::result<std::optional<ssh::config_text>> read(const std::string& path) {
    ++files_read;
    if (is_short)
      return tl::unexpected{ssh::error{ssh::error_kind::shortage, "Too many open files"}};
    const auto text = find_in(files, path);
    if (!text)
      return std::nullopt;
    if (*text == "unreadable")
      return tl::unexpected{ssh::error{ssh::error_kind::file, "Permission denied"}};
    const bool is_unsafe
      = std::find(unsafe_files.begin(), unsafe_files.end(), path) != unsafe_files.end();
    return ssh::config_text{*text, !is_unsafe};
  }

  /// Of files with different texts, which is enough to tell a changed one.
  [[nodiscard]] std::optional<ssh::file_stamp> stamp(const std::string& path) const {
    const auto text = find_in(files, path);
    if (!text)
      return std::nullopt;
    return ssh::file_stamp{static_cast<ino_t>(std::hash<std::string>{}(*text)), 0, 0, 0};
  }

  [[nodiscard]] ssh::result<std::vector<std::string>> find(const std::string& pattern) const {
    if (is_short)
      return tl::unexpected{ssh::error{ssh::error_kind::shortage, "Too many open files"}};
    std::vector<std::string> result;
    for (const auto& [path, text] : files)
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0)
        result.push_back(path);
    return result;
  }

  ssh::result<int> run(const std::string& line) {
    commands_run.push_back(line);
    if (is_short)
      return tl::unexpected{ssh::error{ssh::error_kind::shortage, "Too many open files"}};
    const auto found = commands.find(line);
    if (found == commands.end())
      return tl::unexpected{ssh::error{ssh::error_kind::file, "No such file or directory"}};
    return found->second;
  }
};

} // namespace sshexec::test
