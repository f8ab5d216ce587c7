#pragma once

#include "sshexec/ssh/config/config_error.hpp"
#include "sshexec/ssh/config/config_reader.hpp"
#include "sshexec/ssh/config/environment.hpp"
#include "sshexec/ssh/config/options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace sshexec::ssh {

/// For whom the configuration is asked.
struct config_query {
  /// As it was given: an alias, a name, an address without brackets.
  std::string host;
  /// Options as behind ssh's -o, before all others: "Port=22". They can name programs, so they come
  /// from whoever started this process, never with a request.
  std::vector<std::string> options = {};
  /// What was said with the host, or is known of it: before all files, behind the options.
  std::optional<std::string> user = {};
  std::optional<std::uint16_t> port = {};
  /// Who it is if nothing says more; empty: the local user.
  std::string usual_user = {};

  friend bool operator<(const config_query& a, const config_query& b) {
    return std::tie(a.host, a.options, a.user, a.port, a.usual_user)
           < std::tie(b.host, b.options, b.user, b.port, b.usual_user);
  }
};

/// The user's file and the system's, as ssh reads them.
std::vector<config_source> usual_config(const config_environment& environment);

/// One file, as ssh reads that behind -F; none for "none".
std::vector<config_source> named_config(const std::string& path);

/// What these files say of a host, as OpenSSH 9.2 reads them. Blocks for as long as the
/// environment's functions do, and does a bounded amount of work beside them.
config_result<ssh_options> resolve_config(const std::vector<config_source>& sources,
                                          const config_query& query,
                                          const config_environment& environment,
                                          const config_limits& limits = {});

/// The same with files that may have been read before, of the same environment.
config_result<ssh_options> resolve_config(const std::vector<config_source>& sources,
                                          const config_query& query,
                                          const config_environment& environment,
                                          config_files& files, const config_limits& limits = {});

} // namespace sshexec::ssh
