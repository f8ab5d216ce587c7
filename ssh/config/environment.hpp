#pragma once

#include "sshexec/ssh/config/options.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::ssh {

/// A file of a configuration as it was found.
struct config_text {
  std::string text;
  /// Whether nobody but root and the user may write to it.
  bool is_safe = true;
};

/// All that a configuration can see of the outside. No function may be empty; all of them may
/// block. An error of the kind `shortage` says nothing about what was asked for.
struct config_environment {
  /// The home of the local user, and who that is (getpwuid(3)).
  std::string home;
  std::string user;
  uid_t user_id = 0;
  /// gethostname(2).
  std::string host_name;

  /// A variable of the environment.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// The home of some user, for "~name".
  std::function<std::optional<std::string>(const std::string& user)> home_of;
  /// A file's content, nothing for a file that does not exist; an error says why the file cannot be
  /// read. What is no regular file is read as an empty one, as ssh does with folders.
  std::function<result<std::optional<config_text>>(const std::string& path)> read;
  /// Tells whether a file has changed since; nothing for one that cannot be reached.
  std::function<std::optional<file_stamp>(const std::string& path)> stamp;
  /// The files that a pattern names (glob(7)), sorted; none in folders that may not be read.
  std::function<result<std::vector<std::string>>(const std::string& pattern)> find;
  /// Runs a line of "Match exec" in the user's shell and returns its exit status; an error says why
  /// it has none.
  std::function<result<int>(const std::string& line)> run;
  /// The name that the domain name system gives a host (getaddrinfo(3), AI_CANONNAME), which may be
  /// empty; nothing for a host that is not found.
  std::function<std::optional<std::string>(const std::string& host, address_family)> look_up;
};

/// This machine and user. A line of "Match exec" that does not end within `patience` is killed with
/// its process group. A name that its servers do not answer costs what resolv.conf(5) says.
config_environment system_environment(std::chrono::milliseconds patience
                                      = std::chrono::seconds{10});

} // namespace sshexec::ssh
