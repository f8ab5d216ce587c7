#include "sshexec/actors/remote/link/gate.hpp"

#include <utility>

namespace sshexec {

gate_actor::behavior_type gate(gate_actor::pointer self, const executor_actor& executor,
                               stranger_function on_stranger, std::uint32_t version) {
  self->monitor(executor);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  const auto handle = caf::actor_cast<caf::strong_actor_ptr>(executor);
  return {
    [=](hello_atom, std::uint32_t wanted) -> caf::result<std::uint32_t, caf::strong_actor_ptr> {
      if (wanted == version)
        return {version, handle};
      if (on_stranger)
        on_stranger("a client speaks version " + std::to_string(wanted)
                    + " of the protocol, this hub version " + std::to_string(version));
      return {version, caf::strong_actor_ptr{}};
    },
  };
}

} // namespace sshexec
