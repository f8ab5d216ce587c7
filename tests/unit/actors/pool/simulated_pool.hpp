#pragma once

#include "sshexec/actors/pool/pool_registry.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/testing/virtual_time.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A pool on virtual time over connections that a test plays: everything but sockets is real.
namespace sshexec::test {

class simulated_connection;

/// The machines' side: the connections that the pool made, and how new ones behave.
struct simulated_network {
  /// Called for each new connection, to script its beginning; by default it authenticates at once.
  std::function<void(simulated_connection&)> on_dial;
  /// Called for each command that starts; by default nothing happens until the test says so.
  std::function<void(simulated_connection&, ssh::exec_id)> on_start;
  /// Called for each spare channel that the pool wants; by default it is there.
  std::function<void(simulated_connection&)> on_spare;
  /// Called for each command that the pool gives up.
  std::function<void(simulated_connection&, ssh::exec_id)> on_abandon;
  /// Called for each stream that is to be forwarded; by default nothing happens.
  std::function<void(simulated_connection&, ssh::forward_id)> on_forward;
  /// Called for each connection that the pool drops.
  std::function<void(simulated_connection&)> on_drop;
  /// Connections alive now; a dropped one leaves.
  std::vector<simulated_connection*> alive;
  std::size_t dialed = 0;
};

/// One connection whose events the test makes up.
class simulated_connection final : public ssh::connection {
public:
  simulated_connection(simulated_network& network, ssh::connection_settings wanted,
                       ssh::poller::notify_function notify)
    : settings(std::move(wanted)), network_(network), notify_(std::move(notify)) {
    network_.alive.push_back(this);
    ++network_.dialed;
    if (network_.on_dial)
      network_.on_dial(*this);
    else
      emit(ssh::event::authenticated{});
  }

  ~simulated_connection() override {
    std::erase(network_.alive, this);
    if (network_.on_drop)
      network_.on_drop(*this);
  }

  /// Makes an event happen and the pool notice.
  void emit(ssh::connection_event event);

  void finish(ssh::exec_id id, std::uint32_t exit_status, std::string output = {});

  /// Ends a command, and closes its channel.
  void end(ssh::exec_id id, ssh::exec_outcome outcome);

  /// Ends a command alone: its channel's close is still to come.
  void end_without_close(ssh::exec_id id, ssh::exec_outcome outcome);

  void close(ssh::exec_id id);

  void lose(ssh::error_kind kind, std::string text = "gone");

  /// Something comes in, whatever it is.
  void hear();

  std::vector<ssh::connection_event> advance() override;

  void flush() override {}

  bool try_next_address() override { return ++addresses_tried < settings.addresses.size(); }

  void authenticate() override {
    authentication_begun = true;
    emit(ssh::event::authenticated{});
  }

  void start(ssh::exec_id id, ssh::exec_request request) override {
    if (request.takes_spare)
      has_spare = false;
    started.emplace_back(id, std::move(request));
    if (network_.on_start)
      network_.on_start(*this, id);
  }

  void open_spare() override {
    ++spares_opened;
    has_spare = true;
    if (network_.on_spare)
      network_.on_spare(*this);
  }

  void close_spare() override { end_spare(); }

  /// The spare channel closes, or is refused.
  void end_spare(bool refused = false);

  void write(ssh::exec_id id, std::string data, bool end) override {
    input[id] += data;
    if (end)
      input[id] += "<end>";
  }

  void grant(ssh::exec_id id, std::uint64_t bytes) override { granted[id] += bytes; }

  void signal(ssh::exec_id id, std::string_view name) override {
    if (signals.empty())
      flood_at_first_signal = flood;
    signals.emplace_back(id, std::string{name});
  }

  ssh::exec_outcome abandon(ssh::exec_id id) override {
    abandoned.push_back(id);
    if (network_.on_abandon)
      network_.on_abandon(*this, id);
    note_signals(id, partial);
    return std::exchange(partial, {});
  }

  void forward(ssh::forward_id id, ssh::forward_request request) override {
    forwards.emplace_back(id, std::move(request));
    if (network_.on_forward)
      network_.on_forward(*this, id);
  }

  void send_keepalive() override {
    ++keepalives;
    if (answers_keepalives)
      hear();
  }

  [[nodiscard]] bool is_reading() const override { return reading; }

  [[nodiscard]] bool is_opening_channel() const override { return opening_channel; }

  [[nodiscard]] bool has_password_in_doubt() const override { return password_in_doubt; }

  [[nodiscard]] std::uint64_t bytes_received() const override { return bytes; }

  ssh::connection_settings settings;
  bool authentication_begun = false;
  bool password_in_doubt = false;
  std::size_t addresses_tried = 1;
  std::vector<std::pair<ssh::exec_id, ssh::exec_request>> started;
  std::vector<std::pair<ssh::exec_id, std::string>> signals;
  std::vector<ssh::exec_id> abandoned;
  std::vector<std::pair<ssh::forward_id, ssh::forward_request>> forwards;
  /// What the next abandoned command brought.
  ssh::exec_outcome partial;
  bool has_spare = false;
  std::size_t spares_opened = 0;
  /// What was written to each command behind its first input, and the bytes of output granted.
  std::map<ssh::exec_id, std::string> input;
  std::map<ssh::exec_id, std::uint64_t> granted;
  std::size_t keepalives = 0;
  bool answers_keepalives = false;
  bool reading = true;
  bool opening_channel = false;
  std::uint64_t bytes = 0;
  /// So many chunks of output are still to come of this command, one whenever it is looked for.
  std::size_t flood = 0;
  ssh::exec_id flooding = 0;
  std::size_t flood_at_first_signal = 0;

private:
  /// Whoever was sent a signal got it while it ran.
  void note_signals(ssh::exec_id id, ssh::exec_outcome& outcome) const;

  simulated_network& network_;
  ssh::poller::notify_function notify_;
  std::vector<ssh::connection_event> events_;
};

struct hub_configuration : caf::actor_system_config {
  hub_configuration() { register_messages(*this); }
};

/// An answer to one request, once there is one.
struct pending_answer {
  std::optional<command_result> result;
  std::optional<caf::error> error;
  int count = 0;
  /// Who asked; it ends with the answer.
  caf::actor caller;

  [[nodiscard]] bool arrived() const { return count > 0; }

  [[nodiscard]] bool failed_with(error_code code) const { return error && is(*error, code); }

  [[nodiscard]] failure what() const { return error ? to_failure(*error) : failure{}; }
};

/// What became of some input.
struct pending_input {
  bool accepted = false;
  std::optional<caf::error> error;
};

/// A registry and its supervisors with services that answer at once.
class simulated_pool : public testing::virtual_time<hub_configuration> {
public:
  explicit simulated_pool(settings wanted = default_settings());
  ~simulated_pool();

  static settings default_settings();
  static machine some_machine(std::string hostname = "host");
  static command some_command(std::string line = "true");

  std::shared_ptr<pending_answer> request(command what, machine target = some_machine());

  /// Lets a request's caller cancel its commands of this id.
  /// Any actor of the process cancels by an id; how many commands were cancelled.
  std::optional<std::uint64_t> cancel_everywhere(const std::string& id);
  void cancel(const pending_answer& answer, const std::string& id = {},
              machine target = some_machine());

  /// Sends more input for a request's command in its caller's name.
  std::shared_ptr<pending_input> feed(const pending_answer& answer, std::string data,
                                      bool end = false, machine target = some_machine());

  /// Ends a request's caller.
  void end_caller(const pending_answer& answer);

  /// Sends the pool an exit message.
  void begin_shutdown();
  /// Ends the pool, and passes the time that this may take.
  void shut_down();

  simulated_connection& connection() { return *network.alive.at(0); }

  simulated_network network;
  std::vector<execution_record> journal;
  /// Says how machines are reached, after a while; asked if the setting `ssh_config` is not empty.
  std::function<void(connection_plan&)> change_plan;
  duration plan_delay{0};
  std::vector<plan_request> plans_asked_for;
  /// What the services answer.
  caf::error resolver_error;
  caf::error credential_error;
  caf::error cipher_error;
  ssh::cipher_families ciphers_left_out;
  std::string login_name;
  ssh::secret password;
  std::size_t keys_loaded = 0;
  ssh::known_keys known_keys;
  std::vector<ssh::host_key> remembered;
  std::vector<ssh::address> addresses{1};

  settings pool_settings;
  registry_actor registry;
};

/// A pool with settings of its own.
template <void (*Change)(settings&)>
struct special_pool : simulated_pool {
  static settings wanted() {
    settings result = default_settings();
    Change(result);
    return result;
  }

  special_pool() : simulated_pool(wanted()) {}
};

/// How connections and commands behave, for `simulated_network`.
void succeed_at_once(simulated_connection& connection, ssh::exec_id id);
void start_only(simulated_connection& connection, ssh::exec_id id);
void refuse_connection(simulated_connection& connection);

} // namespace sshexec::test
