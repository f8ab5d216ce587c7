#pragma once

#include "sshexec/ssh/config/config_error.hpp"
#include "sshexec/ssh/config/environment.hpp"

#include <map>
#include <string>

namespace sshexec::ssh {

/// What stands behind a '%' (ssh_config(5), TOKENS), and what it becomes. "%%" needs no entry.
using config_tokens = std::map<char, std::string>;

/// What tokens are made of.
struct token_facts {
  std::string host;
  /// As it was given.
  std::string original_host;
  std::string port;
  std::string remote_user;
  /// HostKeyAlias, or what stands for it.
  std::string key_alias;
};

/// All tokens that a client's keywords know.
config_tokens make_tokens(const token_facts& facts, const config_environment& environment);

/// Those of Hostname.
config_tokens host_token(const std::string& host);

/// Those of ProxyCommand and ProxyJump, out of all.
config_tokens proxy_tokens(const config_tokens& all);

/// Replaces tokens; one that is not known is an error.
value_result<std::string> expand_tokens(const std::string& text, const config_tokens& tokens);

/// Replaces tokens and "${NAME}"; a variable that does not exist is an error.
value_result<std::string> expand_all(const std::string& text, const config_tokens& tokens,
                                     const config_environment& environment);

/// Replaces "${NAME}" alone.
value_result<std::string> expand_variables(const std::string& text,
                                           const config_environment& environment);

/// Replaces a leading "~" or "~user".
value_result<std::string> expand_tilde(const std::string& path,
                                       const config_environment& environment);

/// All three for the name of a file.
value_result<std::string> expand_path(const std::string& path, const config_tokens& tokens,
                                      const config_environment& environment);

} // namespace sshexec::ssh
