#pragma once

#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace sshexec::test {

/// A caller of very many commands, on real or virtual time, that keeps no answer but counts them.
class crowd {
public:
  crowd(caf::actor_system& system, const executor_actor& executor)
    : caller_(system.spawn([seen = seen_, executor](caf::event_based_actor* self) {
        return behavior_of(self, seen, executor);
      })) {}

  /// Sends so many copies of a command, whose ids are numbers that go on from call to call.
  void send(std::size_t count, const machine& target, const command& what) {
    caf::anon_send(caller_, send_atom::value, count, target, what);
  }

  void cancel(const machine& target, const std::string& id) {
    caf::anon_send(caller_, cancel_atom_v, target, id);
  }

  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  ~crowd() { leave(); }

  /// Ends the caller, whatever it waits for.
  void leave() {
    if (caller_)
      caf::anon_send_exit(std::exchange(caller_, nullptr), caf::exit_reason::kill);
  }

  [[nodiscard]] std::size_t answers() const {
    const std::lock_guard lock{seen_->mutex};
    return seen_->answers;
  }

  [[nodiscard]] std::size_t failed_with(error_code code) const {
    const std::lock_guard lock{seen_->mutex};
    return seen_->failed[code];
  }

  /// No command was answered more than once.
  [[nodiscard]] bool nobody_was_answered_twice() const {
    const std::lock_guard lock{seen_->mutex};
    return std::ranges::all_of(seen_->answers_by_command,
                               [](const auto& x) { return x.second == 1; });
  }

  /// Waits for so many answers in real time; false if they do not come within the bound.
  [[nodiscard]] bool wait_for(std::size_t count, std::chrono::seconds bound) const {
    std::unique_lock lock{seen_->mutex};
    return seen_->changed.wait_for(lock, bound, [&] { return seen_->answers >= count; });
  }

private:
  using send_atom = caf::atom_constant<caf::atom("send")>;

  struct observation {
    void note(std::size_t number, error_code code) {
      const std::lock_guard lock{mutex};
      ++answers;
      ++failed[code];
      ++answers_by_command[number];
      changed.notify_all();
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::size_t sent = 0;
    std::size_t answers = 0;
    std::map<error_code, std::size_t> failed;
    std::map<std::size_t, int> answers_by_command;
  };

  static error_code code_of(const caf::error& error) {
    return error.category() == caf::atom("sshexec") ? static_cast<error_code>(error.code())
                                                    : error_code::none;
  }

  static caf::behavior behavior_of(caf::event_based_actor* self,
                                   const std::shared_ptr<observation>& seen,
                                   const executor_actor& executor) {
    return {
      [=](send_atom, std::size_t count, const machine& target, command what) {
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t number = seen->sent++;
          what.id = std::to_string(number);
          self->request(executor, caf::infinite, execute_atom_v, target, what)
            .then([=](const command_result&) { seen->note(number, error_code::none); },
                  [=](const caf::error& error) { seen->note(number, code_of(error)); });
        }
      },
      [=](cancel_atom, const machine& target, const std::string& id) {
        self->send(executor, cancel_atom_v, target, id);
      },
    };
  }

  std::shared_ptr<observation> seen_ = std::make_shared<observation>();
  caf::actor caller_;
};

} // namespace sshexec::test
