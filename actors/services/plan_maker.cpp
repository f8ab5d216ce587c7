#include "sshexec/actors/services/plan_maker.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/services/environment_variable.hpp"
#include "sshexec/actors/services/home.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace sshexec {

namespace {

/// As many as an executor goes through.
constexpr std::size_t most_jumps = 16;

tl::unexpected<caf::error> refused(const std::string& why) {
  return tl::unexpected{make_service_error(error_code::configuration_error, why)};
}

std::vector<ssh::config_source> sources_of(const std::string& ssh_config,
                                           const ssh::config_environment& environment) {
  if (ssh_config == usual_ssh_config)
    return ssh::usual_config(environment);
  return ssh::named_config(expand_home(ssh_config).string());
}

template <class T>
std::optional<T> if_said(const T& x) {
  return x == T{} ? std::nullopt : std::optional{x};
}

ssh::config_query query_of(const std::string& host, const std::string& user, std::uint16_t port) {
  return {host, {}, if_said(user), if_said(port)};
}

std::vector<jump> to_jumps(const std::vector<ssh::jump_host>& hosts) {
  std::vector<jump> result;
  result.reserve(hosts.size());
  for (const ssh::jump_host& x : hosts)
    result.push_back({x.host, x.port.value_or(0), x.user.value_or(""), {}});
  return result;
}

} // namespace

plan_maker::plan_maker(const settings& config, const ssh::config_environment& environment)
  : config_(config), cache_(sources_of(config.ssh_config, environment), environment) {}

tl::expected<connection_plan, caf::error> plan_maker::make(const plan_request& what) {
  was_fleeting_ = false;
  ssh::config_query query = query_of(what.target.hostname, what.target.username, what.target.port);
  if (!what.is_jump)
    query.options = config_.ssh_options;
  const auto said = ask(query);
  if (!said)
    return tl::unexpected{said.error()};
  auto way = find_way(what.target.via.empty() ? to_jumps(said->proxy_jump) : what.target.via);
  if (!way)
    return tl::unexpected{way.error()};
  connection_plan result = make_plan(what.target, config_, *said, std::move(*way));
  for (const auto& [name, value] : result.environment)
    if (auto reason = objection_to_variable(name, value))
      return refused("SetEnv: " + *reason);
  return result;
}

tl::expected<ssh::ssh_options, caf::error> plan_maker::ask(const ssh::config_query& query) {
  ssh::config_query whole = query;
  whole.usual_user = config_.user;
  auto said = cache_.find(whole);
  was_fleeting_ = was_fleeting_ || cache_.is_fleeting();
  if (!said)
    return tl::unexpected{
      said.error().is_shortage
        ? to_caf_error({ssh::error_kind::shortage, to_text(said.error())})
        : make_service_error(error_code::configuration_error, to_text(said.error()))};
  if (!said->objections.empty())
    return refused(to_text(said->objections.front()));
  return std::move(*said);
}

tl::expected<std::vector<jump>, caf::error> plan_maker::find_way(std::vector<jump> jumps) {
  while (!jumps.empty()) {
    if (jumps.size() > most_jumps)
      return refused("there are more than " + std::to_string(most_jumps)
                     + " jumps on the way to the machine, or they are a loop");
    const jump& first = jumps.front();
    const auto said = ask(query_of(first.hostname, first.username, first.port));
    if (!said)
      return tl::unexpected{said.error()};
    auto before = to_jumps(said->proxy_jump);
    if (before.empty())
      break;
    jumps.insert(jumps.begin(), before.begin(), before.end());
  }
  return jumps;
}

ssh::config_environment of_files_alone(ssh::config_environment environment) {
  environment.run = [](const std::string&) -> ssh::result<int> {
    return tl::unexpected{ssh::error{ssh::error_kind::file, "no command is run for this answer"}};
  };
  environment.look_up = [](const std::string&, ssh::address_family) { return std::nullopt; };
  return environment;
}

} // namespace sshexec
