#pragma once

#include "sshexec/actors/executor.hpp"
#include "sshexec/actors/remote/connect_executor.hpp"
#include "sshexec/actors/remote/networking.hpp"
#include "sshexec/app/configuration.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <optional>

namespace sshexec::app {

/// An actor system with one executor, for the length of one run of the tool.
class tool_system {
public:
  /// The executor is one of its own, or that of a hub.
  explicit tool_system(const settings& config, const std::optional<connect_settings>& hub = {},
                       const caf::settings& of_caf = {})
    : config_(hub.has_value(), of_caf),
      executor_(hub ? connect_executor(system_, *hub) : spawn_executor(system_, config)) {}

  tool_system(const tool_system&) = delete;
  tool_system& operator=(const tool_system&) = delete;

  ~tool_system() { shut_down(); }

  /// Answers all open requests with `shutting_down`. May be called from any thread.
  void shut_down() {
    if (executor_)
      caf::anon_send_exit(*executor_, caf::exit_reason::user_shutdown);
  }

  caf::actor_system& operator*() { return system_; }

  /// The executor, or why there is none.
  [[nodiscard]] const caf::expected<executor_actor>& executor() const { return executor_; }

private:
  struct system_config : caf::actor_system_config {
    system_config(bool networking, const caf::settings& wanted) {
      // Few threads that sleep when idle: a tool starts in no time and costs nothing while it
      // waits.
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", 2);
      set("scheduler.max-throughput", max_throughput);
      register_messages(*this);
      if (networking)
        configure_networking(*this);
      apply_system_options(*this, wanted);
    }
  };

  system_config config_;
  caf::actor_system system_{config_};
  caf::expected<executor_actor> executor_;
};

} // namespace sshexec::app
