#include "sshexec/actors/services/connection_planner.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/services/home.hpp"

#include <caf/actor_clock.hpp>

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

caf::error too_late() {
  return make_service_error(error_code::connection_error, "the configuration was not read in time");
}

} // namespace

caf::result<connection_plan> connection_planner_state::plan(const plan_request& what) {
  ssh::config_query query = query_of(what.target.hostname, what.target.username, what.target.port);
  if (!what.is_jump)
    query.options = config.ssh_options;
  const auto said = ask(query);
  if (!said)
    return said.error();
  auto way = find_way(what.target.via.empty() ? to_jumps(said->proxy_jump) : what.target.via);
  if (!way)
    return way.error();
  return make_plan(what.target, config, *said, std::move(*way));
}

tl::expected<ssh::ssh_options, caf::error>
connection_planner_state::ask(const ssh::config_query& query) {
  ssh::config_query whole = query;
  whole.usual_user = config.user;
  auto said = cache->find(whole);
  if (!said)
    return refused(to_text(said.error()));
  if (!said->objections.empty())
    return refused(to_text(said->objections.front()));
  return std::move(*said);
}

tl::expected<std::vector<jump>, caf::error>
connection_planner_state::find_way(std::vector<jump> jumps) {
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

caf::result<tunnel> connection_planner_state::start(const proxy_request& what) {
  return to_answer(programs.start(what.line));
}

connection_planner_actor::behavior_type
connection_planner(connection_planner_actor::stateful_pointer<connection_planner_state> self,
                   settings config, ssh::config_environment environment) {
  auto& state = self->state;
  auto sources = sources_of(config.ssh_config, environment);
  state.config = std::move(config);
  state.cache = std::make_unique<ssh::config_cache>(std::move(sources), std::move(environment));
  return {
    [self](plan_atom, const plan_request& what) -> caf::result<connection_plan> {
      if (self->clock().now() >= what.give_up_at)
        return too_late();
      return self->state.plan(what);
    },
    [self](start_program_atom, const proxy_request& what) -> caf::result<tunnel> {
      if (self->clock().now() >= what.give_up_at)
        return too_late();
      return self->state.start(what);
    },
  };
}

} // namespace sshexec
