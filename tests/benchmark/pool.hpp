#pragma once

#include "options.hpp"
#include "sshexec/actors/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <vector>

namespace sshexec::bench {

/// An actor system with one executor, set up as an embedding program is advised to.
class pool {
public:
  /// Throws `std::runtime_error` when there is no executor to be had.
  explicit pool(const options& x);
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;
  ~pool();

  struct config : caf::actor_system_config {
    explicit config(const options& x);
  };

  config system_config;
  caf::actor_system system{system_config};
  executor_actor executor;
};

/// So many machines, all of them this host: at 127.0.0.1 if it is one, else at 127.1.x.y.
std::vector<machine> targets(const options& x, std::size_t count);

} // namespace sshexec::bench
