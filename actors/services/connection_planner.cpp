#include "sshexec/actors/services/connection_planner.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <caf/actor_clock.hpp>
#include <caf/send.hpp>

#include <exception>
#include <string>
#include <utility>

namespace sshexec {

namespace {

caf::error too_late() {
  return to_caf_error(
    {ssh::error_kind::timed_out, "OpenSSH's configuration could not be read in time"});
}

caf::error short_of(const std::string& what) {
  return to_caf_error({ssh::error_kind::shortage, "OpenSSH's configuration: " + what});
}

caf::expected<connection_plan> make_safely(plan_maker& maker, const plan_request& what) {
  try {
    auto made = maker.make(what);
    if (made)
      return std::move(*made);
    return std::move(made.error());
  } catch (const std::exception& reason) {
    return short_of(reason.what());
  }
}

} // namespace

caf::result<connection_plan> connection_planner_state::plan(plan_request& what) {
  if (self->clock().now() >= what.give_up_at)
    return too_late();
  auto made = make_safely(*of_files, what);
  if (!of_files->was_fleeting())
    return made;
  auto promise = self->make_response_promise<connection_plan>();
  waiting.push_back({std::move(what), reply<connection_plan>{promise}});
  start_next();
  return promise;
}

void connection_planner_state::start_next() {
  while (!waiting.empty() && running.size() < settings.max_slow_plans) {
    question next = std::move(waiting.front());
    waiting.pop_front();
    if (self->clock().now() >= next.what.give_up_at)
      next.answer.fail(too_late());
    else
      start(std::move(next));
  }
}

void connection_planner_state::start(question x) {
  const auto id = ++last_id;
  auto maker = take_maker();
  const bool started = settings.start(
    self->system(), [planner = threaded_planner_actor{self}, id, maker, what = x.what] {
      auto made = make_safely(*maker, what);
      if (made)
        caf::anon_send(planner, done_atom::value, id, std::move(*made));
      else
        caf::anon_send(planner, done_atom::value, id, std::move(made.error()));
    });
  if (started)
    running.emplace(id, slow_plan{std::move(x.answer), std::move(maker)});
  else
    x.answer.fail(short_of("there is no thread for it at the moment"));
}

std::shared_ptr<plan_maker> connection_planner_state::take_maker() {
  if (idle.empty())
    return std::make_shared<plan_maker>(settings.executor, settings.environment);
  auto result = std::move(idle.back());
  idle.pop_back();
  return result;
}

void connection_planner_state::finish(std::uint64_t id, caf::expected<connection_plan> outcome) {
  auto made = std::move(running.extract(id).mapped());
  idle.push_back(std::move(made.maker));
  if (outcome)
    made.answer.deliver(std::move(*outcome));
  else
    made.answer.fail(std::move(outcome.error()));
  start_next();
}

threaded_planner_actor::behavior_type
connection_planner(threaded_planner_actor::stateful_pointer<connection_planner_state> self,
                   planner_settings settings) {
  auto& state = self->state;
  state.settings = std::move(settings);
  state.of_files = std::make_unique<plan_maker>(state.settings.executor,
                                                of_files_alone(state.settings.environment));
  return {
    [&state](plan_atom, plan_request& what) { return state.plan(what); },
    [&state](done_atom, std::uint64_t id, connection_plan& made) {
      state.finish(id, std::move(made));
    },
    [&state](done_atom, std::uint64_t id, caf::error& reason) {
      state.finish(id, std::move(reason));
    },
  };
}

} // namespace sshexec
