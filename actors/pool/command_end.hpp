#pragma once

#include "sshexec/actors/runtime/setback.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/messages/failure.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/tracked_command.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sshexec {

/// The end of one command that runs, before it ends by itself. It has been sent TERM; it gets KILL
/// after a grace, and is given up after another one. Where its processes are hunted for, too, the
/// hunt's report is waited for, because that tells whether they are gone.
class command_end {
public:
  struct rules {
    duration grace{0};
    /// A hunt needs a channel, gives processes the same grace, and then looks whether they are
    /// gone.
    duration patience{0};
    /// Its processes can be found again, so nobody is advised to have it tracked.
    bool is_tracked = false;
  };

  enum class step : std::uint8_t {
    wait,
    /// Send KILL.
    kill,
    /// Close the channel and say what is known.
    give_up,
    /// All that can be known is known.
    conclude,
  };

  command_end(setback reason, const rules& limits, time_point now);

  /// Asked when the deadline has passed.
  step look(time_point now);

  [[nodiscard]] time_point deadline() const { return deadline_; }

  /// Its processes are hunted for.
  void hunt_begins() { is_hunted_ = true; }

  /// The hunt is over, with a report if it came to its own end.
  step hunt_ended(std::optional<ssh::kill_report> report);

  /// The channel brought the command's end, or ended without one.
  step channel_ended(ssh::exec_outcome outcome);

  /// What the channel brought if it ended.
  [[nodiscard]] std::optional<ssh::exec_outcome>& outcome() { return outcome_; }

  struct conclusion {
    /// Why the command was ended, and what became of its processes.
    setback reason;
    sshexec::termination termination = sshexec::termination::unknown;
    /// Whether it had exited by itself before it was sent a signal.
    bool had_exited = false;
  };

  /// Judges by what the channel brought in the end.
  [[nodiscard]] conclusion conclude(const ssh::exec_outcome& brought) const;

private:
  enum class stage : std::uint8_t { terminated, killed };

  /// What became of its processes, and the words for it.
  struct finding {
    sshexec::termination termination = sshexec::termination::unknown;
    std::string text;
    /// Whether there would be more to know of a tracked command.
    bool calls_for_tracking = true;
  };

  [[nodiscard]] finding find(const ssh::exec_outcome& brought) const;
  [[nodiscard]] finding find_by_signals(const ssh::exec_outcome& brought) const;

  setback reason_;
  rules limits_;
  stage stage_ = stage::terminated;
  time_point deadline_;
  bool is_hunted_ = false;
  std::optional<ssh::kill_report> report_;
  std::optional<ssh::exec_outcome> outcome_;
};

} // namespace sshexec
