#pragma once

#include "sshexec/actors/services/connection_plan.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/config/config_cache.hpp"
#include "sshexec/ssh/proxy_programs.hpp"

#include <caf/error.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <tl/expected.hpp>

#include <memory>
#include <vector>

namespace sshexec {

/// Asks OpenSSH's configuration how machines are reached, and starts the programs that it names.
struct connection_planner_state {
  static inline const char* name = "sshexec.connection_planner";

  caf::result<connection_plan> plan(const plan_request& what);
  caf::result<tunnel> start(const proxy_request& what);

  tl::expected<ssh::ssh_options, caf::error> ask(const ssh::config_query& query);
  /// The jumps to a machine, with those to the first of them in front.
  tl::expected<std::vector<jump>, caf::error> find_way(std::vector<jump> jumps);

  settings config;
  std::unique_ptr<ssh::config_cache> cache;
  ssh::proxy_programs programs;
};

/// To be spawned detached: it blocks on files, and for as long as `environment` allows a "Match
/// exec" to run. `config.ssh_config` names what it reads.
connection_planner_actor::behavior_type
connection_planner(connection_planner_actor::stateful_pointer<connection_planner_state> self,
                   settings config, ssh::config_environment environment);

} // namespace sshexec
