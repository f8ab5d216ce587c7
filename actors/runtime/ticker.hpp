#pragma once

#include "sshexec/actors/runtime/time.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include <memory>

namespace sshexec {

using tick_atom = caf::atom_constant<caf::atom("tick")>;

/// An actor that passes ticks on. It ends with the last one who holds this.
using tick_relay = std::shared_ptr<const caf::actor>;

tick_relay spawn_tick_relay(caf::actor_system& system);

/// Sends `tick_atom` to one actor at later times. CAF's clock keeps the receiver of a delayed
/// message in memory until the message is due, which may be long behind its end, and meanwhile
/// thousands like it may have come and gone. What it keeps of a receiver of ticks is a few bytes.
class ticker {
public:
  struct receiver;

  ticker() = default;
  ticker(tick_relay relay, caf::actor whom);
  ticker(ticker&&) noexcept = default;
  ticker& operator=(ticker&& other) noexcept;

  /// No tick is sent any more.
  ~ticker();

  void send_after(duration delay);

private:
  tick_relay relay_;
  std::shared_ptr<receiver> receiver_;
};

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<sshexec::ticker::receiver>)
