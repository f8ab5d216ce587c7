#include "sshexec/app/rollout/rollout_printer.hpp"

#include <memory>

namespace sshexec::app {

rollout_printer_actor::behavior_type rollout_printer(rollout_printer_actor::pointer,
                                                     rollout_output* output) {
  // Null after the flush.
  const auto mine = std::make_shared<rollout_output*>(output);
  const auto unless_flushed = [mine](auto what) {
    if (*mine != nullptr)
      what(**mine);
  };
  return {
    [=](const output_chunk& chunk) { unless_flushed([&](rollout_output& x) { x.take(chunk); }); },
    [=](const machine_outcome& outcome) {
      unless_flushed([&](rollout_output& x) { x.take(outcome); });
    },
    [=](const rollout_progress& now) { unless_flushed([&](rollout_output& x) { x.show(now); }); },
    [=](left_atom, const rollout_progress& now) {
      unless_flushed([&](rollout_output& x) { x.tell_what_is_left(now); });
    },
    [=](who_atom, const rollout_progress& now) {
      unless_flushed([&](rollout_output& x) { x.tell_who_runs(now); });
    },
    [mine](flush_atom) { *mine = nullptr; },
  };
}

rollout_watch_actor::behavior_type rollout_watch(rollout_watch_actor::pointer self,
                                                 rollout_actor of, rollout_printer_actor printer) {
  // A rollout that has ended has nothing to tell.
  const auto over = [](const caf::error&) {};
  return {
    [=](left_atom) {
      self->request(of, caf::infinite, status_atom::value)
        .then([=](rollout_progress& now) { self->send(printer, left_atom::value, std::move(now)); },
              over);
    },
    [=](who_atom) {
      self->request(of, caf::infinite, status_atom::value)
        .then([=](rollout_progress& now) { self->send(printer, who_atom::value, std::move(now)); },
              over);
    },
  };
}

} // namespace sshexec::app
