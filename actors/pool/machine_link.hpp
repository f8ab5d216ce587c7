#pragma once

#include "sshexec/actors/pool/channel_pool.hpp"
#include "sshexec/actors/pool/hunts.hpp"
#include "sshexec/actors/pool/liveness.hpp"
#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/messages/executor_status.hpp"
#include "sshexec/ssh/connection.hpp"
#include "sshexec/ssh/known_hosts.hpp"
#include "sshexec/ssh/login.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sshexec {

/// A place at the connect gate, or in the queue before it: given back when this goes.
class gate_place {
public:
  gate_place() = default;

  explicit gate_place(std::function<void()> give_back) : give_back_(std::move(give_back)) {}

  gate_place(gate_place&& other) noexcept : give_back_(std::exchange(other.give_back_, nullptr)) {}

  gate_place& operator=(gate_place&& other) noexcept {
    std::swap(give_back_, other.give_back_);
    return *this;
  }

  ~gate_place() {
    if (give_back_)
      give_back_();
  }

private:
  std::function<void()> give_back_;
};

/// The state of the connection to one machine. Each state owns all that belongs to it (deadlines,
/// connection, place at the gate) and ends it when it is left, so nothing of an earlier state can
/// act on a later one. What others say later is told apart by `number`.
class machine_link {
public:
  /// No connection, and none wanted.
  struct idle {};

  /// One attempt to connect is under way, for all commands that wait.
  struct attempt {
    [[nodiscard]] std::optional<time_point> deadline() const;

    /// Whether all services have answered.
    [[nodiscard]] bool is_prepared() const {
      return login && known && addresses && ciphers_left_out;
    }

    /// From now on it may take so long.
    void begin(time_point now, duration bound);

    /// Gives the next address its turn too, if it is time, and one is left.
    void try_next_address(time_point now);

    /// What it is at, for people.
    std::string step;
    /// How long it may take.
    duration patience{0};
    /// None while it waits for its turn, which is no fault of the machine's.
    std::optional<time_point> expires;
    /// What is left of its time when its turn comes.
    duration time_left{0};
    /// When the next address is tried as well (RFC 8305 §5).
    std::optional<time_point> next_address;

    /// What the services answered.
    std::optional<ssh::login> login;
    std::optional<ssh::known_keys> known;
    std::optional<std::vector<ssh::address>> addresses;
    std::optional<ssh::cipher_families> ciphers_left_out;

    gate_place place;
    /// Through the jump, if there is one.
    std::shared_ptr<ssh::carried_stream> carrier;
    std::unique_ptr<ssh::connection> connection;
    /// Whether something was asked of it since it was last advanced.
    bool was_asked = false;

    /// Whether it began because credentials changed under the one before.
    bool is_restart = false;
    /// Credentials changed since it began.
    bool is_outdated = false;
  };

  /// The last attempt failed; the next one begins when the delay is over.
  struct delay {
    time_point until;
  };

  /// Commands can run.
  struct established {
    [[nodiscard]] time_point deadline() const;

    /// Whether it is to be replaced as soon as its commands have ended.
    [[nodiscard]] bool takes_no_more() const {
      return is_outdated || (was_made_outdated && channels.commands_sent() > 0);
    }

    /// The connection, to ask something of it: it is advanced then.
    ssh::connection& ask() {
      was_asked = true;
      return *connection;
    }

    std::unique_ptr<ssh::connection> connection;
    channel_pool channels;
    liveness peer;
    std::chrono::system_clock::time_point connected_at;
    hunts hunting = {};
    /// When it is to be replaced, as soon as it is not used.
    std::optional<time_point> grows_old = {};
    /// Credentials changed since it was made, or while it was: then it serves those that waited for
    /// it, or credentials that change often would keep everybody waiting.
    bool is_outdated = false;
    bool was_made_outdated = false;
    bool was_asked = false;
  };

  attempt& begin_attempt(time_point now, duration timeout);

  /// The attempt under way succeeded, and its connection goes on.
  established& establish(time_point now, const channel_pool::rules& channels,
                         duration keepalive_interval, duration max_age);

  void wait_until(time_point when) { enter(delay{when}); }

  /// No connection any more.
  void drop() { enter(idle{}); }

  /// The state if it is this one, else null.
  template <class State>
  [[nodiscard]] State* get() {
    return std::get_if<State>(&state_);
  }

  template <class State>
  [[nodiscard]] const State* get() const {
    return std::get_if<State>(&state_);
  }

  template <class State>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<State>(state_);
  }

  /// The present attempt or connection, as long as it lasts.
  [[nodiscard]] std::uint64_t number() const { return number_; }

  /// The connection that is being made, or there; else null.
  [[nodiscard]] ssh::connection* connection() const;

  /// Whether something was asked of the connection since the last time that this was.
  bool take_asked();

  [[nodiscard]] machine_state state() const;

  /// When time itself changes something.
  [[nodiscard]] std::optional<time_point> deadline() const;

  /// When the present attempt began, or the connection was made.
  [[nodiscard]] time_point since() const { return since_; }

private:
  template <class State>
  void enter(State next) {
    state_ = std::move(next);
    ++number_;
  }

  std::variant<idle, attempt, delay, established> state_;
  std::uint64_t number_ = 0;
  time_point since_;
};

} // namespace sshexec
