#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/system_thread.hpp"
#include "sshexec/actors/services/plan_maker.hpp"

#include <caf/expected.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace sshexec {

struct planner_settings {
  /// As of an executor; `ssh_config` names what is read.
  settings executor;
  /// Asked by several threads at once.
  ssh::config_environment environment;
  /// Plans at the same time for which commands are run or names looked up.
  std::size_t max_slow_plans = 16;
  thread_starter start = start_thread;
};

using threaded_planner_actor = connection_planner_actor::extend<
  /// A plan that was made on another thread.
  caf::reacts_to<done_atom, std::uint64_t, connection_plan>,
  caf::reacts_to<done_atom, std::uint64_t, caf::error>>;

/// Tells how machines are reached. What files alone say is told at once; a "Match exec" or a
/// canonical name may take long, so the plan that needs one is made on one of a few other threads,
/// and delays none of the machines that need none.
struct connection_planner_state {
  static inline const char* name = "sshexec.connection_planner";

  struct question {
    plan_request what;
    reply<connection_plan> answer;
  };

  /// A plan that is being made. The thread's function keeps the maker, too.
  struct slow_plan {
    reply<connection_plan> answer;
    std::shared_ptr<plan_maker> maker;
  };

  explicit connection_planner_state(threaded_planner_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<connection_plan> plan(plan_request& what);
  void start_next();
  /// Answers at once if there is no thread.
  void start(question x);
  std::shared_ptr<plan_maker> take_maker();
  void finish(std::uint64_t id, caf::expected<connection_plan> outcome);

  threaded_planner_actor::pointer self;
  planner_settings settings;
  std::unique_ptr<plan_maker> of_files;
  std::deque<question> waiting;
  std::map<std::uint64_t, slow_plan> running;
  /// Those that have read the files before.
  std::vector<std::shared_ptr<plan_maker>> idle;
  std::uint64_t last_id = 0;
};

/// To be spawned detached: it blocks on files. When it ends, open requests fail at once; a plan
/// that is being made goes on, and the actor system waits for it: for as long as the environment
/// lets a command run, or name servers take to time out.
threaded_planner_actor::behavior_type
connection_planner(threaded_planner_actor::stateful_pointer<connection_planner_state> self,
                   planner_settings settings);

} // namespace sshexec
