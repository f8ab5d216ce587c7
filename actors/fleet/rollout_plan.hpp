#pragma once

#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/messages/rollout.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sshexec {

/// When the machines of a rollout are started: the window, the steps, the budget of failures, and
/// what stops it.
class rollout_plan {
public:
  enum class verdict : std::uint8_t {
    /// The next machine is to be started.
    start,
    /// The next machine is never started, and is to be told as such.
    skip,
    /// Nothing to be done until the next news, or the deadline.
    wait,
    /// No machine is left, and none has a place in the window.
    done,
  };

  /// For so many machines.
  rollout_plan(const rollout& what, std::size_t all);

  /// Before this it waits.
  void begin(time_point now);

  /// What is to be done now. To be asked again after each thing done, and after each piece of news.
  verdict next(time_point now);

  /// The next machine, as a number in the order of starts, takes a place in the window. To be
  /// called after `start` and `skip` alone.
  std::size_t take();

  /// One that counts against the budget.
  void failed();

  /// A machine gives its place in the window back.
  void release(time_point now);

  void pause() { paused_ = true; }

  void resume() { paused_ = false; }

  /// Starts no other machine, and says why. The first reason stays, as does the first one to cancel
  /// what is under way.
  void stop(skip_reason why, excess_rule running);

  /// When `next` has to be asked again, whatever the news.
  [[nodiscard]] std::optional<time_point> deadline() const;

  /// Why machines are skipped; `none` while they are not.
  [[nodiscard]] skip_reason stopped() const { return stopped_; }

  /// Why what is under way is to be cancelled; `none` while it is not.
  [[nodiscard]] skip_reason cancels_running() const { return cancels_running_; }

  [[nodiscard]] std::size_t all() const { return all_; }

  /// Counts from 1; 0 before the first one.
  [[nodiscard]] std::uint32_t step() const { return step_; }

  [[nodiscard]] bool paused() const { return paused_; }

private:
  [[nodiscard]] bool is_step_over() const { return taken_ == step_end_ && busy_ == 0; }

  void begin_step();

  std::size_t all_;
  std::size_t at_once_;
  std::vector<portion> steps_;
  duration pause_;
  std::optional<std::size_t> max_failures_;
  excess_rule when_exceeded_;
  std::optional<duration> time_limit_;

  bool begun_ = false;
  std::optional<time_point> ends_at_;
  /// Machines that were started or skipped.
  std::size_t taken_ = 0;
  /// Places in the window that are taken.
  std::size_t busy_ = 0;
  std::size_t failures_ = 0;
  std::uint32_t step_ = 0;
  /// How many machines are taken at the end of the step.
  std::size_t step_end_ = 0;
  /// When the next step may begin, once this one is over.
  time_point next_step_at_;
  bool paused_ = false;
  skip_reason stopped_ = skip_reason::none;
  skip_reason cancels_running_ = skip_reason::none;
};

} // namespace sshexec
