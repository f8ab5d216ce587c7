#pragma once

#include "sshexec/ssh/config/config_error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sshexec::ssh {

enum class address_family : std::uint8_t { any, inet, inet6 };

enum class canonicalization : std::uint8_t {
  no,
  yes,
  /// Also for what is reached by a jump or a command.
  always
};

enum class host_key_checking : std::uint8_t { no, yes, ask, accept_new };

/// The last two tell whether an agent learns for which host it signs.
enum class public_key_use : std::uint8_t { no, yes, unbound, host_bound };

enum class terminal_wish : std::uint8_t { no, yes, force, automatic };

enum class host_key_updates : std::uint8_t { no, yes, ask };

/// Which aliases of which names are followed (ssh_config(5), CanonicalizePermittedCNAMEs): lists of
/// patterns in lower case.
struct cname_rule {
  std::string names;
  std::string aliases;

  friend bool operator==(const cname_rule&, const cname_rule&) = default;
};

/// A machine on the way to another one. What the configuration says of it is found by resolving its
/// host as a name of its own, with this user and port, and without the options of the command line.
/// The first one of a list may so have jumps of its own; the others are reached by those before
/// them.
struct jump_host {
  std::string host;
  std::optional<std::string> user = {};
  std::optional<std::uint16_t> port = {};

  friend bool operator==(const jump_host&, const jump_host&) = default;
};

/// When a connection's keys are made anew.
struct rekey_limit {
  /// 0 leaves it to the cipher.
  std::uint64_t bytes = 0;
  std::optional<std::chrono::seconds> interval = {};

  friend bool operator==(const rekey_limit&, const rekey_limit&) = default;
};

/// What OpenSSH's configuration says of one host (ssh_config(5)), each under its keyword. What has
/// no value was not said; a list that is there and empty was said to be "none". Tokens, variables
/// and `~` are expanded.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what belongs together stands together.
struct ssh_options {
  /// Where to connect, and as whom: always told.
  std::string hostname;
  std::uint16_t port = 22;
  std::string user;

  address_family family = address_family::any;
  std::optional<std::string> bind_address;
  std::optional<std::string> bind_interface;
  /// One of the two at most is in force: the jumps in the order in which they are visited, or a
  /// command line for the user's shell.
  std::vector<jump_host> proxy_jump;
  std::optional<std::string> proxy_command;
  std::optional<int> connection_attempts;
  std::optional<std::chrono::seconds> connect_timeout;
  std::optional<std::chrono::seconds> server_alive_interval;
  std::optional<int> server_alive_count_max;
  std::optional<bool> compression;
  std::optional<ssh::rekey_limit> rekey_limit;

  canonicalization canonicalize_hostname = canonicalization::no;
  std::optional<std::vector<std::string>> canonical_domains;
  bool canonicalize_fallback_local = true;
  int canonicalize_max_dots = 1;
  std::optional<std::vector<cname_rule>> canonicalize_permitted_cnames;

  std::optional<host_key_checking> strict_host_key_checking;
  std::optional<std::vector<std::string>> user_known_hosts_files;
  std::optional<std::vector<std::string>> global_known_hosts_files;
  /// In lower case.
  std::optional<std::string> host_key_alias;
  std::optional<bool> hash_known_hosts;
  std::optional<host_key_updates> update_host_keys;
  std::optional<int> required_rsa_size;

  /// Lists of names behind commas. A leading '+', '-' or '^' changes the default list: behind it,
  /// taken from it, before it.
  std::optional<std::string> ciphers;
  std::optional<std::string> macs;
  std::optional<std::string> kex_algorithms;
  std::optional<std::string> host_key_algorithms;
  std::optional<std::string> pubkey_accepted_algorithms;

  /// In the order in which they are tried.
  std::optional<std::vector<std::string>> identity_files;
  std::vector<std::string> certificate_files;
  std::optional<bool> identities_only;
  /// The socket of an agent; empty for none.
  std::optional<std::string> identity_agent;
  std::optional<std::vector<std::string>> preferred_authentications;
  std::optional<public_key_use> pubkey_authentication;
  std::optional<bool> password_authentication;
  std::optional<bool> kbd_interactive_authentication;
  std::optional<std::string> kbd_interactive_devices;
  std::optional<int> number_of_password_prompts;
  /// Whether nobody is to be asked anything.
  std::optional<bool> batch_mode;

  /// Patterns of names.
  std::vector<std::string> send_env;
  std::optional<std::vector<std::pair<std::string, std::string>>> set_env;
  std::optional<terminal_wish> request_tty;
  std::optional<std::string> remote_command;
  /// What "Match tagged" asks for.
  std::optional<std::string> tag;

  /// What was said and cannot be honoured, in the order in which it was met: whoever connects
  /// nevertheless would connect to somebody else, trust somebody else, or be somebody else.
  std::vector<config_error> objections;

  friend bool operator==(const ssh_options&, const ssh_options&) = default;
};

} // namespace sshexec::ssh
