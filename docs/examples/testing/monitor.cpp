#include "monitor.hpp"

#include <sshexec/messages/failure.hpp>

#include <utility>

namespace hub {

namespace {

using regular_check_atom = caf::atom_constant<caf::atom("regular")>;
inline constexpr auto regular_check_atom_v = regular_check_atom{};

/// Calls back with what is wrong.
template <class Callback>
void check(caf::stateful_actor<monitor_state>* self, Callback callback) {
  sshexec::command command;
  command.line = "check-health";
  self
    ->request(self->state.executor, caf::infinite, sshexec::execute_atom_v, self->state.target,
              command)
    .then(
      [callback](sshexec::command_result& result) mutable {
        callback(result.exit_code == 0 ? "" : std::move(result.output.stderr_data));
      },
      [callback](const caf::error& error) mutable {
        callback(sshexec::to_failure(error).message);
      });
}

} // namespace

caf::behavior monitor(caf::stateful_actor<monitor_state>* self,
                      const sshexec::executor_actor& executor, const sshexec::machine& target) {
  self->state.executor = executor;
  self->state.target = target;
  self->send(self, regular_check_atom_v);
  return {
    [self](check_atom) {
      auto answer = self->make_response_promise<std::string>();
      check(self, [answer](std::string what) mutable { answer.deliver(std::move(what)); });
      return answer;
    },
    [self](alarms_atom) { return self->state.alarms; },
    [self](regular_check_atom) {
      self->delayed_send(self, check_interval, regular_check_atom_v);
      check(self, [self](const std::string& what) { self->state.alarms += what.empty() ? 0 : 1; });
    },
  };
}

} // namespace hub
