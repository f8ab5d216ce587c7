#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>

#include <utility>

namespace sshexec {

/// Lets an actor run on a thread that is not the scheduler's, because that thread has news for it
/// and nothing else to do: to wake a scheduler's thread would cost more than most news take. The
/// first actor that is woken by it follows on the same thread, as does the one that is woken by
/// that, because a command goes from hand to hand; all others are the scheduler's, as ever.
class borrowed_thread final : public caf::execution_unit {
public:
  explicit borrowed_thread(caf::actor_system& system) : caf::execution_unit(&system) {}

  /// Sends a message, without a sender, and returns when its receiver has handled it, unless that
  /// one runs elsewhere right now.
  template <class... Values>
  void deliver(const caf::strong_actor_ptr& receiver, Values&&... values) {
    receiver->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                                std::forward<Values>(values)...),
                      this);
    run();
  }

  void exec_later(caf::resumable* job) override;

private:
  void run();

  caf::resumable* next_ = nullptr;
};

} // namespace sshexec
