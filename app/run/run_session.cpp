#include "sshexec/app/run/run_session.hpp"

#include <caf/spawn_options.hpp>

#include <utility>

namespace sshexec::app {

caf::typed_response_promise<command_result> run_session_state::run() {
  auto promise = self->make_response_promise<command_result>();
  answer = reply<command_result>{promise};
  self->request(settings.executor, caf::infinite, execute_atom_v, settings.target, settings.what)
    .then([this](command_result& result) { finish(std::move(result)); },
          [this](caf::error& reason) { finish(std::move(reason)); });
  if (reader)
    feed();
  return promise;
}

void run_session_state::feed() {
  self->request(reader, caf::infinite, read_atom::value)
    .then([this](std::string& data) { give(std::move(data)); },
          // The command must not take a part of its input for all of it.
          [this](const caf::error&) { stop(); });
}

void run_session_state::give(std::string data) {
  const bool is_end = data.empty();
  const auto go_on = [this, is_end] {
    settings.on_running();
    if (!is_end)
      feed();
  };
  // A command that takes no more input has ended: its answer is on the way.
  const auto give_up = [](const caf::error&) {};
  self
    ->request(settings.executor, caf::infinite, input_atom_v, settings.target, settings.what.id,
              std::move(data), is_end)
    .then(go_on, give_up);
}

void run_session_state::stop() {
  settings.stop->set();
  self->send(settings.executor, cancel_atom_v, settings.target, settings.what.id);
}

void run_session_state::finish(outcome ended) {
  if (!writer)
    return leave(std::move(ended));
  self->request(writer, caf::infinite, flush_atom::value)
    .then([this, ended = std::move(ended)]() mutable { leave(std::move(ended)); });
}

void run_session_state::leave(outcome ended) {
  settings.stop->set();
  if (ended)
    answer.deliver(std::move(*ended));
  else
    answer.fail(std::move(ended.error()));
  for (const auto& helper :
       {caf::actor_cast<caf::actor>(writer), caf::actor_cast<caf::actor>(reader)})
    if (helper)
      self->send_exit(helper, caf::exit_reason::user_shutdown);
  self->quit();
}

run_session_actor::behavior_type
run_session(run_session_actor::stateful_pointer<run_session_state> self,
            run_session_settings settings, run_account* account) {
  auto& state = self->state;
  state.settings = std::move(settings);
  if (state.settings.streams) {
    const output_writer_settings writing{
      state.settings.stop, state.settings.may_begin_anew, state.settings.on_running,
      [session = run_session_actor{self}] { caf::anon_send(session, stop_atom::value); }};
    state.writer = self->spawn<caf::detached>(output_writer, writing, &account->output);
    state.settings.what.output_to = state.writer;
  }
  if (state.settings.what.stdin_open)
    state.reader = self->spawn<caf::detached>(input_reader, state.settings.input,
                                              state.settings.stop, &account->input_error);
  return {
    [&state](run_atom) { return state.run(); },
    [&state](stop_atom) { state.stop(); },
  };
}

} // namespace sshexec::app
