#include "played_fleet.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace sshexec::test {

namespace {

using keep_atom = caf::atom_constant<caf::atom("keep")>;

using worker_actor
  = executor_actor::extend<caf::reacts_to<keep_atom, std::uint64_t, command_result>,
                           caf::reacts_to<keep_atom, std::uint64_t, caf::error>>;

using holding_consumer = outcome_consumer::extend<caf::reacts_to<keep_atom, std::uint64_t>>;

worker_actor::behavior_type worker(worker_actor::pointer self, played_fleet* fleet) {
  const auto take = [fleet](std::uint64_t place) {
    return std::move(fleet->open.extract(place).mapped().promise);
  };
  return {
    [self, fleet](execute_atom, machine& target, command& what) -> caf::result<command_result> {
      auto promise = self->make_response_promise<command_result>();
      const auto place = place_of(what.id);
      BOOST_REQUIRE(place);
      fleet->open.insert_or_assign(*place,
                                   fleet_command{std::move(target), std::move(what), promise});
      fleet->started.push_back(*place);
      if (fleet->on_start)
        fleet->on_start(*place);
      return promise;
    },
    [fleet, take](cancel_atom, const machine& target, const std::string& id) {
      const auto place = place_of(id);
      BOOST_REQUIRE(place);
      fleet->cancelled.push_back(*place);
      const auto i = fleet->open.find(*place);
      if (i == fleet->open.end())
        return;
      BOOST_REQUIRE((i->second.target == target));
      if (fleet->ends_cancelled)
        take(*place).deliver(make_failure(error_code::cancelled, {}));
    },
    [](cancel_atom, const std::string&) { return std::uint64_t{0}; },
    [](input_atom, const machine&, const std::string&, const std::string&, bool) {},
    [](subscribe_atom, const observer_actor&) {},
    [](unsubscribe_atom, const observer_actor&) {},
    [](status_atom) { return executor_status{}; },
    [](changed_atom, const machine&) {},
    [](changed_atom) {},
    [take](keep_atom, std::uint64_t place, command_result& result) {
      take(place).deliver(std::move(result));
    },
    [take](keep_atom, std::uint64_t place, caf::error& reason) {
      take(place).deliver(std::move(reason));
    },
  };
}

executor_actor::behavior_type front(executor_actor::pointer self, const executor_actor& worker) {
  return {
    [self, worker](execute_atom, machine& target, command& what) {
      return self->delegate(worker, execute_atom_v, std::move(target), std::move(what));
    },
    [self, worker](cancel_atom, const machine& target, const std::string& id) {
      return self->delegate(worker, cancel_atom_v, target, id);
    },
    [](cancel_atom, const std::string&) { return std::uint64_t{0}; },
    [](input_atom, const machine&, const std::string&, const std::string&, bool) {},
    [](subscribe_atom, const observer_actor&) {},
    [](unsubscribe_atom, const observer_actor&) {},
    [](status_atom) { return executor_status{}; },
    [](changed_atom, const machine&) {},
    [](changed_atom) {},
  };
}

holding_consumer::behavior_type take_outcomes(holding_consumer::pointer self, played_fleet* fleet) {
  return {
    [self, fleet](machine_outcome& x) -> caf::result<void> {
      fleet->outcomes.push_back(std::move(x));
      if (fleet->consumer_fails)
        return caf::make_error(caf::sec::runtime_error);
      if (!fleet->consumer_holds)
        return caf::unit;
      auto promise = self->make_response_promise<void>();
      fleet->unanswered.push_back(promise);
      return promise;
    },
    [fleet](keep_atom, std::uint64_t count) {
      for (; count > 0 && !fleet->unanswered.empty(); --count) {
        auto promise = std::move(fleet->unanswered.front());
        fleet->unanswered.pop_front();
        static_cast<caf::response_promise&>(promise).deliver(caf::unit);
      }
    },
  };
}

} // namespace

played_fleet::played_fleet() {
  worker_ = owned(executor_actor{system.spawn(worker, this)});
  executor = owned(executor_actor{system.spawn(front, worker_)});
  consumer = owned(outcome_consumer{system.spawn(take_outcomes, this)});
}

played_fleet::~played_fleet() {
  // Twice, for it waits for its consumer otherwise.
  if (subject) {
    caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
  }
  settle();
  end_actors();
  open.clear();
  unanswered.clear();
}

rollout played_fleet::of(std::size_t machines) {
  rollout result;
  for (std::size_t i = 0; i < machines; ++i) {
    machine x;
    x.hostname = "host-" + std::to_string(i);
    result.machines.push_back(std::move(x));
  }
  result.command.line = "true";
  result.at_once = 1000;
  return result;
}

void played_fleet::prepare(rollout what) {
  auto made = spawn_rollout(system, executor, std::move(what), consumer);
  BOOST_REQUIRE(made);
  subject = std::move(*made);
  settle();
}

void played_fleet::start() {
  caller_ = owned(caf::actor{system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
    self->request(subject, caf::infinite, start_atom_v)
      .then(
        [this](rollout_summary& x) {
          ++answers;
          summary = std::move(x);
        },
        [this](caf::error& x) {
          ++answers;
          error = std::move(x);
        });
    // It stays.
    return {[](keep_atom) {}};
  })});
  settle();
}

void played_fleet::start(rollout what) {
  prepare(std::move(what));
  start();
}

void played_fleet::finish(std::size_t place, int exit_code) {
  command_result result;
  result.exit_code = exit_code;
  result.output.stdout_data = "output of " + std::to_string(place);
  caf::anon_send(caf::actor_cast<worker_actor>(worker_), keep_atom::value, std::uint64_t{place},
                 std::move(result));
  settle();
}

void played_fleet::fail(std::size_t place, error_code code) {
  failure reason;
  reason.message = "an executor's failure";
  reason.attempts = 4;
  fail(place, make_failure(code, std::move(reason)));
}

void played_fleet::fail(std::size_t place, caf::error reason) {
  caf::anon_send(caf::actor_cast<worker_actor>(worker_), keep_atom::value, std::uint64_t{place},
                 std::move(reason));
  settle();
}

void played_fleet::answer_outcomes(std::size_t count) {
  caf::anon_send(caf::actor_cast<holding_consumer>(consumer), keep_atom::value,
                 std::uint64_t{count});
  settle();
}

void played_fleet::cancel(bool under_way) {
  caf::anon_send(subject, cancel_atom_v, under_way);
  settle();
}

void played_fleet::pause() {
  caf::anon_send(subject, pause_atom_v);
  settle();
}

void played_fleet::resume() {
  caf::anon_send(subject, resume_atom_v);
  settle();
}

void played_fleet::end_executor() {
  caf::anon_send_exit(executor, caf::exit_reason::kill);
  settle();
}

void played_fleet::end_consumer() {
  caf::anon_send_exit(consumer, caf::exit_reason::kill);
  settle();
  unanswered.clear();
}

void played_fleet::end_caller() {
  caf::anon_send_exit(caller_, caf::exit_reason::kill);
  settle();
}

void played_fleet::tell_to_exit() {
  caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
  settle();
}

rollout_progress played_fleet::progress() {
  rollout_progress result;
  bool told = false;
  system.spawn([&](caf::event_based_actor* self) {
    self->request(subject, caf::infinite, status_atom_v)
      .then(
        [&](rollout_progress& x) {
          result = std::move(x);
          told = true;
        },
        [](const caf::error&) {});
  });
  settle();
  BOOST_REQUIRE(told);
  return result;
}

const machine_outcome& played_fleet::outcome(std::size_t place) {
  const auto i = std::find_if(outcomes.begin(), outcomes.end(),
                              [&](const machine_outcome& x) { return x.index == place; });
  BOOST_REQUIRE((i != outcomes.end()));
  return *i;
}

std::vector<std::size_t> played_fleet::open_places() const {
  std::vector<std::size_t> result;
  for (const auto& [place, x] : open)
    result.push_back(place);
  return result;
}

} // namespace sshexec::test
