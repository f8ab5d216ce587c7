#include "sshexec/actors/settings.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/messages/command.hpp"

#include <caf/config_value.hpp>
#include <caf/deep_to_string.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

namespace sshexec {

namespace {

const std::string group = "sshexec";

caf::error configuration_error(const std::string& text) {
  return make_service_error(error_code::configuration_error, "Option " + group + text);
}

// -- reading -------------------------------------------------------------------------------------

constexpr std::array all_host_key_policies{host_key_policy::accept_new, host_key_policy::strict,
                                           host_key_policy::off};

/// Stores a value in a field; false when it is not of the field's type or out of that type's range.
template <class T>
bool assign(T& field, const caf::config_value& value) {
  auto converted = caf::get_if<T>(&value);
  if (converted)
    field = *converted;
  return static_cast<bool>(converted);
}

/// A configuration file's 0 and 1 are integers.
bool assign(double& field, const caf::config_value& value) {
  const auto* whole = caf::get_if<std::int64_t>(&value);
  if (whole != nullptr)
    field = static_cast<double>(*whole);
  return whole != nullptr || assign<double>(field, value);
}

bool assign(host_key_policy& field, const caf::config_value& value) {
  std::string name;
  if (!assign(name, value))
    return false;
  const auto* found = std::find_if(all_host_key_policies.begin(), all_host_key_policies.end(),
                                   [&](host_key_policy x) { return to_string(x) == name; });
  if (found == all_host_key_policies.end())
    return false;
  field = *found;
  return true;
}

/// What is said of a value that a field does not take, behind the option's name.
template <class T>
std::string objection_to(const T&, const caf::config_value& value, const char* help) {
  const std::string text = caf::deep_to_string(value);
  if (std::is_same_v<T, caf::timespan> && caf::get_if<std::int64_t>(&value))
    return " has no unit: write " + text + "s for seconds";
  return " cannot be " + text + ": " + help;
}

/// Takes all options from the group's values; what is wrong with the first bad one, if any.
std::optional<std::string> read_options(const caf::settings& values, settings& x) {
  std::set<std::string> unread;
  for (const auto& [name, value] : values)
    unread.insert(name);
  std::optional<std::string> complaint;
  const auto read = [&](const char* name, const char* help, auto& field) {
    unread.erase(name);
    const auto found = values.find(caf::string_view{name, std::strlen(name)});
    if (found != values.end() && !assign(field, found->second) && !complaint)
      complaint = name + objection_to(field, found->second, help);
  };
  read("user", "user name for machines that name none (default: who runs this process)", x.user);
  read("identity-file", "private key for machines that name none (default: those in ~/.ssh)",
       x.identity_file);
  read("passphrase-file", "file with the passphrase of encrypted keys in its first line",
       x.passphrase_file);
  read("identity-agent", "socket of an SSH agent, or SSH_AUTH_SOCK (default: none)",
       x.identity_agent);
  read("ssh-config", "file of OpenSSH's configuration, usual or none (default: none is looked at)",
       x.ssh_config);
  read("password-file", "file with a password in its first line, for machines that ask for one",
       x.password_file);
  read("host-key-policy", "accept-new (default), strict or off", x.host_key_policy);
  read("known-hosts-file", "host keys on record (default: ~/.ssh/known_hosts)", x.known_hosts_file);
  read("connect-timeout", "for each attempt to connect (default: 10s)", x.connect_timeout);
  read("retry-delays", "before the second, third, … attempt (default: [1s, 2s, 4s])",
       x.retry_delays);
  read("retry-jitter", "share of a delay that is added at random, 0 to 1 (default: 0)",
       x.retry_jitter);
  read("breaker-threshold", "failed rounds before commands fail at once (default: 0, never)",
       x.breaker_threshold);
  read("breaker-pause", "for which commands fail at once then (default: 30s)", x.breaker_pause);
  read("command-timeout", "for commands that name none (default: 30s)", x.command_timeout);
  read("max-output", "bytes kept of each stream of a command (default: 16777216)", x.max_output);
  read("kill-grace", "between TERM, KILL and the end of a channel (default: 2s)", x.kill_grace);
  read("drain-timeout", "for running commands when the executor shuts down (default: 0s)",
       x.drain_timeout);
  read("max-connects-per-host", "attempts to connect to one address at a time (default: 8)",
       x.max_connects_per_host);
  read("max-channels", "commands at once on one connection (default: 10)", x.max_channels);
  read("spare-channel", "whether a channel is opened ahead of the next command (default: true)",
       x.spare_channel);
  read("max-queued", "commands that may wait for one machine (default: 10000)", x.max_queued);
  read("idle-timeout", "after which an unused connection is closed (default: 5min)",
       x.idle_timeout);
  read("max-connection-age", "after which a connection is replaced (default: 24h, 0: never)",
       x.max_connection_age);
  read("keepalive-interval", "after which a silent connection is asked (default: 10s)",
       x.keepalive_interval);
  read("journal", "stderr (default), none, or a file", x.journal);
  read("journal-format", "plain (default) or json", x.journal_format);
  read("journal-max-size", "bytes after which a journal file is rotated (default: 67108864)",
       x.journal_max_size);
  read("journal-max-files", "old journal files that are kept (default: 5)", x.journal_max_files);
  if (!complaint && !unread.empty())
    complaint = *unread.begin() + " does not exist";
  return complaint;
}

bool is_duration(caf::timespan x) {
  return x.count() >= 0 && x <= longest_duration;
}

bool is_positive(caf::timespan x) {
  return is_duration(x) && x.count() > 0;
}

} // namespace

std::string to_string(host_key_policy x) {
  switch (x) {
    case host_key_policy::accept_new:
      return "accept-new";
    case host_key_policy::strict:
      return "strict";
    case host_key_policy::off:
      return "off";
  }
  return "unknown host key policy";
}

caf::expected<settings> read_settings(const caf::settings& config) {
  settings result;
  const auto found = config.find(group);
  if (found == config.end())
    return result;
  const auto* values = caf::get_if<caf::settings>(&found->second);
  if (values == nullptr)
    return configuration_error(" is a group of options");
  if (const auto complaint = read_options(*values, result))
    return configuration_error('.' + *complaint);
  if (auto complaint = validate(result))
    return complaint;
  return result;
}

caf::error validate(const settings& x) {
  const bool delays_hold = std::all_of(x.retry_delays.begin(), x.retry_delays.end(), is_duration);
  const bool jitter_holds = x.retry_jitter >= 0 && x.retry_jitter <= 1;
  const bool format_holds = x.journal_format == "plain" || x.journal_format == "json";
  const std::initializer_list<std::pair<bool, const char*>> rules{
    {is_positive(x.connect_timeout), "connect-timeout must be longer than 0 and at most a year"},
    {delays_hold, "retry-delays are at most a year each"},
    {jitter_holds, "retry-jitter is 0 to 1"},
    {is_duration(x.breaker_pause), "breaker-pause is at most a year"},
    {is_positive(x.command_timeout), "command-timeout must be longer than 0 and at most a year"},
    {x.max_output <= largest_data, "max-output is at most 1 GiB"},
    {is_duration(x.kill_grace), "kill-grace is at most a year"},
    {is_duration(x.drain_timeout), "drain-timeout is at most a year"},
    {x.max_connects_per_host > 0, "max-connects-per-host is at least 1"},
    {x.max_channels > 0, "max-channels is at least 1"},
    {x.max_queued > 0, "max-queued is at least 1"},
    {is_positive(x.idle_timeout), "idle-timeout must be longer than 0 and at most a year"},
    {is_duration(x.max_connection_age), "max-connection-age is at most a year"},
    {is_positive(x.keepalive_interval),
     "keepalive-interval must be longer than 0 and at most a year"},
    {!x.journal.empty(), "journal is stderr, none, or a file"},
    {format_holds, "journal-format is plain or json"},
    {x.journal_max_size > 0, "journal-max-size is at least 1"},
  };
  for (const auto& [holds, text] : rules)
    if (!holds)
      return configuration_error(std::string{"."} + text);
  return {};
}

} // namespace sshexec
