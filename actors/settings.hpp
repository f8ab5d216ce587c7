#pragma once

#include "sshexec/ssh/secret.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/settings.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sshexec {

/// What to do about a host key that is not on record. A key that differs from the recorded one is
/// refused by all but `off`.
enum class host_key_policy : std::uint8_t {
  /// Accept it and remember it.
  accept_new,
  /// Refuse it.
  strict,
  /// Accept any key, look nothing up, remember nothing. For tests only.
  off,
};

std::string to_string(host_key_policy x);

/// No setting and no command's timeout may be longer, so that no clock overflows when it is added
/// to its time.
inline constexpr caf::timespan longest_duration = std::chrono::hours{24} * 365;

/// ~/.ssh/config and /etc/ssh/ssh_config, as ssh reads them (setting `ssh_config`).
inline constexpr const char* usual_ssh_config = "usual";

/// Everything an executor can be told. The defaults serve; each field is an option of the same name
/// (with dashes) in the group `sshexec` of a CAF configuration.
struct settings {
  /// User name for machines that name none; empty: the user this process runs as.
  std::string user;
  /// Private key for machines that name none; empty: the usual files in ~/.ssh.
  std::string identity_file;
  /// File that holds the passphrase of encrypted keys in its first line; empty: none.
  std::string passphrase_file;
  /// Socket of an SSH agent whose keys are offered after those of files, or "SSH_AUTH_SOCK" for the
  /// one that this variable names; empty: none.
  std::string identity_agent;
  /// File that holds a password in its first line, for machines that ask for one and that no key is
  /// enough for; a jump is given none. Empty: none.
  std::string password_file;
  /// The password itself, which counts before the file. No option: a configuration file is no place
  /// for it.
  ssh::secret password;

  /// OpenSSH's configuration (ssh_config(5)), which says more of machines, and prevails over the
  /// settings: a file, read again when it changes; `usual_ssh_config`; "none": no file; empty:
  /// nobody looks at any of this. A machine's user and port prevail, if they are not empty and 0.
  std::string ssh_config;
  /// Lines before all of the file's, as behind ssh's -o; not for jumps. No option of a file.
  std::vector<std::string> ssh_options;
  /// Names of options that prevail over OpenSSH's configuration: `host-key-policy`,
  /// `known-hosts-file`, `connect-timeout`, `retry-delays`, `keepalive-interval`. No option of a
  /// file.
  std::vector<std::string> over_ssh_config;

  sshexec::host_key_policy host_key_policy = sshexec::host_key_policy::accept_new;
  /// Empty: ~/.ssh/known_hosts.
  std::string known_hosts_file;

  /// For one attempt to connect, from the name's look-up to authentication, and for the server's
  /// answer to a channel that is being opened.
  caf::timespan connect_timeout = std::chrono::seconds{10};
  /// Delays before the second, third, … attempt; their number is the number of retries.
  std::vector<caf::timespan> retry_delays
    = {std::chrono::seconds{1}, std::chrono::seconds{2}, std::chrono::seconds{4}};
  /// Each delay is lengthened by a random share of itself up to this one (0.1: up to 10 %).
  double retry_jitter = 0;

  /// After so many rounds of attempts in a row that ended with a command given up, commands to that
  /// machine fail at once for `breaker_pause`; then one attempt decides. 0: never.
  std::uint32_t breaker_threshold = 0;
  caf::timespan breaker_pause = std::chrono::seconds{30};

  /// For commands that name none.
  caf::timespan command_timeout = std::chrono::seconds{30};
  /// For commands that name none; at most `largest_data`.
  std::uint64_t max_output = std::uint64_t{16} << 20;
  /// Between TERM, KILL and the closing of a command's channel.
  caf::timespan kill_grace = std::chrono::seconds{2};
  /// How long commands may go on when the executor shuts down, before they are ended.
  caf::timespan drain_timeout{0};

  /// Attempts to connect to one address and port at a time, over all machines that share it (sshd's
  /// MaxStartups begins to drop connections at 10).
  std::uint32_t max_connects_per_host = 8;

  /// Commands at once on one connection (sshd's MaxSessions is 10 by default).
  std::uint32_t max_channels = 10;
  /// Whether a channel is opened ahead of the next command, which saves it a round trip.
  bool spare_channel = true;
  /// Commands that may wait for one machine.
  std::uint32_t max_queued = 10'000;
  /// A machine without commands for this long is retired.
  caf::timespan idle_timeout = std::chrono::minutes{5};
  /// A connection this old is replaced as soon as no command runs on it. 0: never.
  caf::timespan max_connection_age = std::chrono::hours{24};
  /// A connection that was silent for this long is asked for a sign of life; one that is silent for
  /// twice as long after that is given up.
  caf::timespan keepalive_interval = std::chrono::seconds{10};

  /// Where the journal goes: "stderr", "none", or a file's path.
  std::string journal = "stderr";
  /// "plain" or "json".
  std::string journal_format = "plain";
  /// Size in bytes at which a journal file is rotated, and how many old ones are kept.
  std::uint64_t journal_max_size = std::uint64_t{64} << 20;
  std::uint32_t journal_max_files = 5;
};

/// Reads the group `sshexec` of a system's configuration (`caf::content(config)`); options that are
/// not set keep their defaults. Fails with `configuration_error` on an option that does not exist,
/// a value of the wrong type, and a value out of range. The options are not to be registered with
/// the configuration: CAF 0.17 drops a registered option's value without a word when its type is
/// wrong.
caf::expected<settings> read_settings(const caf::settings& config);

/// Nothing, or a `configuration_error` that names the field whose value makes no sense.
caf::error validate(const settings& x);

} // namespace sshexec
