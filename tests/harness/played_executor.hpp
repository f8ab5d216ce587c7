#pragma once

#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// For tests of actors that use an executor. It needs CAF and `sshexec::sshexec`; who includes it
/// links them himself.
namespace sshexec::testing {

/// A command that a `played_executor` was asked to run.
struct played_request {
  sshexec::machine machine;
  sshexec::command command;
};

/// What a command is answered with; nothing if the test answers it later.
using played_answer = std::optional<caf::expected<command_result>>;

/// A result with this exit code and stdout.
inline played_answer ends_with(std::int32_t exit_code, std::string stdout_data = {}) {
  command_result result;
  result.exit_code = exit_code;
  result.output.stdout_bytes = stdout_data.size();
  result.output.stdout_data = std::move(stdout_data);
  return result;
}

/// An error of this code and message.
inline played_answer fails_with(error_code code, std::string message = {}) {
  failure what;
  what.message = std::move(message);
  return caf::expected<command_result>{make_failure(code, std::move(what))};
}

/// A stand-in for an executor, which answers by a script, now or later, and records what it was
/// asked. A command that is cancelled before it has its answer is answered with `cancelled`.
/// Observers and input are taken and ignored. May be used from any thread; the script runs on a
/// thread of the actor system. Ends its actor in its destructor.
class played_executor {
public:
  using script = std::function<played_answer(const played_request&)>;

  /// By default, each command ends at once with exit code 0.
  explicit played_executor(
    caf::actor_system& system, script answers = [](const played_request&) { return ends_with(0); })
    : state_(std::make_shared<state>()) {
    state_->answers = std::move(answers);
    actor_ = system.spawn(play, state_);
  }

  played_executor(const played_executor&) = delete;
  played_executor& operator=(const played_executor&) = delete;

  ~played_executor() { end(); }

  /// Ends the actor. What has no answer yet gets `shutting_down`.
  void end() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }

  [[nodiscard]] executor_actor actor() const { return actor_; }

  /// What it was asked so far, in this order.
  [[nodiscard]] std::vector<played_request> requests() const {
    const std::lock_guard lock{state_->mutex};
    return state_->requests;
  }

  /// Answers a request that was left open, by its place in `requests()`.
  void answer(std::size_t request, const played_answer& what) {
    if (*what)
      caf::anon_send(actor_, answer_atom::value, request, **what);
    else
      caf::anon_send(actor_, answer_atom::value, request, what->error());
  }

private:
  using answer_atom = caf::atom_constant<caf::atom("answer")>;
  using played_actor
    = executor_actor::extend<caf::reacts_to<answer_atom, std::size_t, command_result>,
                             caf::reacts_to<answer_atom, std::size_t, caf::error>>;
  using promise = caf::typed_response_promise<command_result>;

  struct state {
    mutable std::mutex mutex;
    script answers;
    std::vector<played_request> requests;
    /// By their places. Known to the actor alone.
    std::map<std::size_t, promise> open;
  };

  static caf::result<command_result> execute(played_actor::pointer self, state& x,
                                             played_request asked) {
    std::size_t place = 0;
    {
      const std::lock_guard lock{x.mutex};
      place = x.requests.size();
      x.requests.push_back(asked);
    }
    auto answer = x.answers(asked);
    if (!answer)
      return x.open[place] = self->make_response_promise<command_result>();
    if (*answer)
      return std::move(**answer);
    return std::move(answer->error());
  }

  static void fail(state& x, std::size_t place, caf::error why) {
    if (auto found = x.open.extract(place))
      found.mapped().deliver(std::move(why));
  }

  template <class Condition>
  static std::uint64_t cancel(state& x, Condition is_meant) {
    std::vector<std::size_t> meant;
    for (const auto& [place, unused] : x.open) {
      const std::lock_guard lock{x.mutex};
      if (is_meant(x.requests[place]))
        meant.push_back(place);
    }
    for (const std::size_t place : meant)
      fail(x, place, fails_with(error_code::cancelled)->error());
    return meant.size();
  }

  static played_actor::behavior_type play(played_actor::pointer self,
                                          const std::shared_ptr<state>& x) {
    self->set_exit_handler([self, x](const caf::exit_msg& message) {
      while (!x->open.empty())
        fail(*x, x->open.begin()->first, fails_with(error_code::shutting_down)->error());
      self->quit(message.reason);
    });
    return {
      [self, x](execute_atom, machine& target, command& what) {
        return execute(self, *x, {std::move(target), std::move(what)});
      },
      [x](cancel_atom, const machine& target, const std::string& id) {
        cancel(*x, [&](const played_request& asked) {
          return asked.machine == target && asked.command.id == id;
        });
      },
      [x](cancel_atom, const std::string& id) {
        return cancel(*x, [&](const played_request& asked) { return asked.command.id == id; });
      },
      [](input_atom, const machine&, const std::string&, const std::string&, bool) {},
      [](subscribe_atom, const observer_actor&) {},
      [](unsubscribe_atom, const observer_actor&) {},
      [](status_atom) { return executor_status{}; },
      [](changed_atom, const machine&) {},
      [](changed_atom) {},
      [x](answer_atom, std::size_t place, command_result& what) {
        if (auto found = x->open.extract(place))
          found.mapped().deliver(std::move(what));
      },
      [x](answer_atom, std::size_t place, caf::error& why) { fail(*x, place, std::move(why)); },
    };
  }

  std::shared_ptr<state> state_;
  played_actor actor_;
};

} // namespace sshexec::testing
