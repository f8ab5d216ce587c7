#pragma once

#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/proxy_programs.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace sshexec {

/// Starts the programs that OpenSSH's configuration names (ProxyCommand). They end with it.
struct program_starter_state {
  static inline const char* name = "sshexec.program_starter";

  ssh::proxy_programs programs;
};

/// To be spawned detached: it blocks until a program has begun, or ended.
program_starter_actor::behavior_type
program_starter(program_starter_actor::stateful_pointer<program_starter_state> self);

} // namespace sshexec
