#pragma once

#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/config/config_cache.hpp"

#include <caf/error.hpp>
#include <tl/expected.hpp>

#include <vector>

namespace sshexec {

/// Asks OpenSSH's configuration how machines are reached. Used by one thread at a time, which it
/// blocks for as long as files take, and the functions of its environment.
class plan_maker {
public:
  /// `config.ssh_config` names what it reads.
  plan_maker(const settings& config, const ssh::config_environment& environment);

  tl::expected<connection_plan, caf::error> make(const plan_request& what);

  /// Whether the last answer depends on more than files.
  [[nodiscard]] bool was_fleeting() const { return was_fleeting_; }

private:
  tl::expected<ssh::ssh_options, caf::error> ask(const ssh::config_query& query);
  /// The jumps to a machine, with those to the first of them in front.
  tl::expected<std::vector<jump>, caf::error> find_way(std::vector<jump> jumps);

  settings config_;
  ssh::config_cache cache_;
  bool was_fleeting_ = false;
};

/// The same without commands and name servers: an answer that depends on them is none.
ssh::config_environment of_files_alone(ssh::config_environment environment);

} // namespace sshexec
