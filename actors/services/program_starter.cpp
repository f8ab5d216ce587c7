#include "sshexec/actors/services/program_starter.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <caf/actor_clock.hpp>

namespace sshexec {

program_starter_actor::behavior_type
program_starter(program_starter_actor::stateful_pointer<program_starter_state> self) {
  return {
    [self](start_program_atom, const proxy_request& what) -> caf::result<tunnel> {
      if (self->clock().now() >= what.give_up_at)
        return to_caf_error(
          {ssh::error_kind::timed_out, "its ProxyCommand could not be started in time"});
      return to_answer(self->state.programs.start(what.line));
    },
  };
}

} // namespace sshexec
