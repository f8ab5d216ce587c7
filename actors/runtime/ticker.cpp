#include "sshexec/actors/runtime/ticker.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace sshexec {

/// Belongs to the ticker and to the ticks that are under way.
struct ticker::receiver {
  void tick() {
    if (const caf::actor whom = still_there())
      caf::anon_send(whom, tick_atom::value);
  }

  caf::actor still_there() {
    const std::lock_guard lock{mutex};
    return actor;
  }

  void leave() {
    const std::lock_guard lock{mutex};
    actor = nullptr;
  }

  std::mutex mutex;
  caf::actor actor;
};

tick_relay spawn_tick_relay(caf::actor_system& system) {
  const auto relay = system.spawn([]() -> caf::behavior {
    return {
      [](tick_atom, const std::shared_ptr<ticker::receiver>& whom) { whom->tick(); },
    };
  });
  return {new caf::actor{relay}, [](const caf::actor* x) {
            caf::anon_send_exit(*x, caf::exit_reason::user_shutdown);
            delete x;
          }};
}

ticker::ticker(tick_relay relay, caf::actor whom)
  : relay_(std::move(relay)), receiver_(std::make_shared<receiver>()) {
  receiver_->actor = std::move(whom);
}

ticker& ticker::operator=(ticker&& other) noexcept {
  std::swap(relay_, other.relay_);
  std::swap(receiver_, other.receiver_);
  return *this;
}

ticker::~ticker() {
  if (receiver_)
    receiver_->leave();
}

void ticker::send_after(duration delay) {
  caf::delayed_anon_send(*relay_, std::max(delay, duration{0}), tick_atom::value, receiver_);
}

} // namespace sshexec
