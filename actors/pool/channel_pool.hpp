#pragma once

#include "sshexec/actors/pool/channel_slots.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/ssh/connection.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace sshexec {

/// The channels of one connection: decides when a command gets one, and when one is opened ahead of
/// the next command. A channel counts from its request to its close, whatever became of its
/// command, for the server counts it so. The owner does what `next` says, and tells what came of
/// it.
class channel_pool {
public:
  struct rules {
    /// At most so many at once.
    std::uint32_t most = 1;
    /// Whether one is opened ahead of the next command.
    bool opens_spare = true;
    /// How long a server may take to close a channel whose command is over.
    duration patience{0};
  };

  /// What the commands of the machine want.
  struct demand {
    /// A command waits for a channel.
    bool command = false;
    /// Processes are to be hunted for over a channel.
    bool hunt = false;
    /// The next command may find a channel open.
    bool spare = false;
    /// Commands that have a channel.
    bool running = false;
    /// A tracked one is among them: a channel is kept free to kill it by.
    bool tracked = false;
  };

  enum class step : std::uint8_t {
    /// Nothing can be done until the next event or deadline.
    wait,
    start_command,
    start_hunt,
    open_spare,
    /// Channels that the server does not close hold the commands up, and nothing else is lost.
    give_up_connection,
  };

  explicit channel_pool(const rules& what);

  step next(time_point now, const demand& wanted);

  /// When `next` is to be asked again even if nothing happens.
  [[nodiscard]] std::optional<time_point> deadline() const { return deadline_; }

  // -- what the owner did ----------------------------------------------------------------------

  /// A command or a hunt takes a channel. Tells whether that is the spare one. What is sent on it
  /// may have run even if the connection turns out dead, so it is for connections that are not in
  /// doubt.
  bool take(bool is_in_doubt);

  void spare_requested();

  /// The command or hunt on this channel is over; only the channel's close is awaited.
  void leave(ssh::exec_id id, time_point now) { left_.emplace(id, now); }

  // -- what the server did -----------------------------------------------------------------------

  /// An exec request went out: the channel was opened.
  void exec_sent();

  /// The channel's close arrived.
  void closed(ssh::exec_id id);

  /// The server refused the channel, which is asked for again when another one has closed, or after
  /// a pause if none was open. False if it refused so often while none was open that it is
  /// hopeless.
  [[nodiscard]] bool refused(ssh::exec_id id, time_point now);

  /// The spare channel was refused, or closed.
  void spare_ended(bool was_refused);

  // -- for others to know ----------------------------------------------------------------------

  /// Exec requests that went out on this connection.
  [[nodiscard]] std::uint64_t commands_sent() const { return commands_sent_; }

  /// Whether nothing but a spare channel is open.
  [[nodiscard]] bool is_unused() const { return slots_.open() == (has_spare_ ? 1U : 0U); }

  [[nodiscard]] const channel_slots& slots() const { return slots_; }

private:
  [[nodiscard]] bool has_room(bool keeps_one) const;
  [[nodiscard]] step wait_until(std::optional<time_point> when);
  void write_off(time_point now);

  rules rules_;
  channel_slots slots_;
  /// Whether one of the channels is open, or being opened, ahead of the next command.
  bool has_spare_ = false;
  /// Whether a command was sent since the last spare channel was opened: there is one for each, so
  /// that a server that refuses it is not asked again and again.
  bool spare_is_due_ = false;
  std::uint64_t commands_sent_ = 0;
  /// Refusals while no channel was open, in a row.
  int lone_refusals_ = 0;
  /// No channel is asked for before.
  std::optional<time_point> pause_;
  /// Channels whose command is over, and since when.
  std::map<ssh::exec_id, time_point> left_;
  /// Those among them that are not counted any more.
  std::set<ssh::exec_id> written_off_;
  std::optional<time_point> deadline_;
};

} // namespace sshexec
