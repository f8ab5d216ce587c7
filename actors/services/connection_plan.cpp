#include "sshexec/actors/services/connection_plan.hpp"

#include "sshexec/ssh/known_hosts.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace sshexec {

namespace {

constexpr const char* usual_known_hosts = "~/.ssh/known_hosts";
constexpr const char* system_known_hosts = "/etc/ssh/ssh_known_hosts";

/// More attempts than anybody waits for.
constexpr int most_attempts = 1000;

/// Whether a setting gives way to OpenSSH's configuration.
bool gives_way(const settings& config, std::string_view name) {
  const auto& kept = config.over_ssh_config;
  return std::find(kept.begin(), kept.end(), name) == kept.end();
}

/// Nobody is asked, so what is to be asked about is refused.
host_key_policy to_policy(ssh::host_key_checking x) {
  switch (x) {
    case ssh::host_key_checking::no:
      return host_key_policy::off;
    case ssh::host_key_checking::accept_new:
      return host_key_policy::accept_new;
    case ssh::host_key_checking::yes:
    case ssh::host_key_checking::ask:
      break;
  }
  return host_key_policy::strict;
}

/// Nothing for what says nothing.
std::optional<caf::timespan> to_duration(std::optional<std::chrono::seconds> x) {
  if (!x || x->count() <= 0)
    return std::nullopt;
  return std::min<caf::timespan>(
    std::min(*x, std::chrono::duration_cast<std::chrono::seconds>(longest_duration)),
    longest_duration);
}

/// The delays for so many attempts: the first ones, or the last one again and again.
std::vector<caf::timespan> delays_for(int attempts, std::vector<caf::timespan> delays) {
  const caf::timespan last = delays.empty() ? std::chrono::seconds{1} : delays.back();
  delays.resize(static_cast<std::size_t>(std::min(attempts, most_attempts) - 1), last);
  return delays;
}

void apply_settings(settings& config, const ssh::ssh_options& said) {
  if (said.strict_host_key_checking && gives_way(config, "host-key-policy"))
    config.host_key_policy = to_policy(*said.strict_host_key_checking);
  if (const auto timeout = to_duration(said.connect_timeout);
      timeout && gives_way(config, "connect-timeout"))
    config.connect_timeout = *timeout;
  if (said.connection_attempts && gives_way(config, "retry-delays"))
    config.retry_delays = delays_for(*said.connection_attempts, std::move(config.retry_delays));
  if (const auto interval = to_duration(said.server_alive_interval);
      interval && gives_way(config, "keepalive-interval"))
    config.keepalive_interval = *interval;
}

/// Nothing if the executor's own files are meant.
std::optional<known_hosts_choice> choose_known_hosts(const settings& config,
                                                     const ssh::ssh_options& said) {
  const bool is_said = said.user_known_hosts_files || said.global_known_hosts_files;
  if (!is_said || !gives_way(config, "known-hosts-file"))
    return std::nullopt;
  const std::string& own = config.known_hosts_file;
  const std::vector<std::string> users{own.empty() ? usual_known_hosts : own};
  const std::vector<std::string> global(own.empty() ? 1 : 0, system_known_hosts);
  return known_hosts_choice{said.user_known_hosts_files.value_or(users),
                            said.global_known_hosts_files.value_or(global)};
}

} // namespace

connection_plan make_plan(machine asked, settings config) {
  connection_plan result;
  result.hostname = asked.hostname;
  result.key_name = asked.hostname;
  result.key_port = asked.port;
  result.target = std::move(asked);
  result.config = std::move(config);
  return result;
}

connection_plan make_plan(machine asked, settings config, const ssh::ssh_options& said,
                          std::vector<jump> way) {
  asked.username = said.user;
  asked.port = said.port;
  // Jumps that were asked for are there in place of a command.
  const bool has_way = !way.empty();
  asked.via = std::move(way);
  connection_plan result = make_plan(std::move(asked), std::move(config));
  result.hostname = said.hostname;
  result.family = said.family;
  if (!has_way)
    result.proxy_command = said.proxy_command;
  result.key_name = said.host_key_alias.value_or(said.hostname);
  if (said.host_key_alias)
    result.key_port = ssh::default_port;
  result.known_hosts = choose_known_hosts(result.config, said);
  if (result.target.identity_file.empty())
    result.login.identity_files = said.identity_files;
  result.login.agent = said.identity_agent;
  result.login.leaves_agents_out = said.identities_only.value_or(false);
  for (const auto& [name, value] : said.set_env.value_or(decltype(said.set_env)::value_type{}))
    result.environment.emplace(name, value);
  apply_settings(result.config, said);
  return result;
}

} // namespace sshexec
