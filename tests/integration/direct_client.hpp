#pragma once

#include "sshexec/ssh/connection.hpp"
#include "sshexec/testing/real_server.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sshexec::test {

/// What a connection told about one command.
struct command_log {
  bool sent = false;
  std::optional<std::uint32_t> process_group;
  std::vector<ssh::event::output> chunks;
  std::string streamed_out;
  std::string streamed_err;
  std::size_t input_wanted = 0;
  std::optional<std::uint32_t> channel_refused;
  std::optional<std::string> exec_refused;
  std::optional<ssh::exec_outcome> outcome;
  /// What was told when the end was.
  std::size_t streamed_at_end = 0;
  bool closed = false;
};

/// A connection without actors: the test is its owner.
class direct_client {
public:
  /// Returns when it has logged in, or is lost.
  explicit direct_client(ssh::connection_settings settings) {
    connection_ = ssh::make_connection_factory(std::make_shared<ssh::poller>())(
      std::move(settings), [bell = bell_] { bell->ring(); });
    until([this] { return authenticated_ || lost; });
  }

  /// One that has logged in.
  direct_client(const std::string& host, std::uint16_t port, const std::string& user,
                const std::string& key_file)
    : direct_client(settings_for(host, port, user, {ssh::load_private_key(key_file, {}).value()})) {
    if (!authenticated_)
      throw std::runtime_error{"cannot connect"};
  }

  explicit direct_client(const testing::scripted_server& server)
    : direct_client(server.host(), server.port(), "nobody", server.client_key_file()) {}

  explicit direct_client(const testing::real_server& server)
    : direct_client(server.host(), server.port(), server.user(), server.identity_file()) {}

  static ssh::connection_settings settings_for(const std::string& host, std::uint16_t port,
                                               const std::string& user, ssh::private_keys keys) {
    ssh::connection_settings settings;
    settings.addresses = ssh::resolve(host, port).value();
    settings.username = user;
    settings.keys = std::move(keys);
    return settings;
  }

  [[nodiscard]] bool is_authenticated() const { return authenticated_; }

  ssh::connection* operator->() { return connection_.get(); }

  /// What was told of a command.
  command_log& operator[](ssh::exec_id id) { return commands_[id]; }

  void start(ssh::exec_id id, ssh::exec_request request) {
    connection_->start(id, std::move(request));
    advance();
  }

  void start(ssh::exec_id id, const std::string& line) {
    ssh::exec_request request;
    request.command = line;
    request.max_output = 1 << 20;
    start(id, std::move(request));
  }

  /// Runs a command to its end; the outcome has no value if that does not come.
  std::optional<ssh::exec_outcome> run(ssh::exec_id id, ssh::exec_request request) {
    start(id, std::move(request));
    return until([&] { return commands_[id].closed; }) ? commands_[id].outcome : std::nullopt;
  }

  std::optional<ssh::exec_outcome> run(ssh::exec_id id, const std::string& line) {
    start(id, line);
    return until([&] { return commands_[id].closed; }) ? commands_[id].outcome : std::nullopt;
  }

  void advance() {
    for (ssh::connection_event& x : connection_->advance())
      std::visit([this](auto& event) { note(event); }, x);
  }

  /// Advances at each notification until the condition holds; false if it does not within the
  /// bound.
  bool until(const std::function<bool()>& condition,
             std::chrono::milliseconds bound = std::chrono::seconds{30}) {
    const auto deadline = std::chrono::steady_clock::now() + bound;
    advance();
    while (!condition()) {
      if (!bell_->wait_until(deadline))
        return false;
      advance();
    }
    return true;
  }

  /// Advances until no notification comes for a moment.
  void settle() {
    advance();
    while (bell_->wait_until(std::chrono::steady_clock::now() + std::chrono::milliseconds{200}))
      advance();
  }

  std::vector<ssh::event::spare_ended> spares_ended;
  std::vector<ssh::exec_id> overrun;
  std::map<ssh::forward_id, std::shared_ptr<ssh::carried_stream>> streams;
  std::map<ssh::forward_id, ssh::error> streams_refused;
  std::set<ssh::forward_id> streams_closed;
  std::optional<ssh::error> lost;

private:
  /// Rung on the poller's thread, perhaps after the client's end.
  class bell {
  public:
    void ring() {
      const std::lock_guard lock{mutex_};
      rung_ = true;
      changed_.notify_one();
    }

    /// Whether it rang before that.
    bool wait_until(std::chrono::steady_clock::time_point deadline) {
      std::unique_lock lock{mutex_};
      changed_.wait_until(lock, deadline, [this] { return rung_; });
      return std::exchange(rung_, false);
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool rung_ = false;
  };

  void note(ssh::event::transport_connected) {}

  void note(ssh::event::output_overrun e) { overrun.push_back(e.id); }

  void note(ssh::event::host_key_presented&) {
    connection_->authenticate();
    advance();
  }

  void note(ssh::event::authenticated) { authenticated_ = true; }

  void note(ssh::event::exec_sent x) { commands_[x.id].sent = true; }

  void note(ssh::event::tracked x) { commands_[x.id].process_group = x.process_group; }

  void note(ssh::event::output& x) {
    command_log& log = commands_[x.id];
    (x.is_stderr ? log.streamed_err : log.streamed_out) += x.data;
    log.chunks.push_back(std::move(x));
  }

  void note(ssh::event::input_wanted x) { ++commands_[x.id].input_wanted; }

  void note(ssh::event::spare_ended x) { spares_ended.push_back(x); }

  void note(ssh::event::channel_refused x) { commands_[x.id].channel_refused = x.reason; }

  void note(ssh::event::exec_refused& x) { commands_[x.id].exec_refused = std::move(x.reason); }

  void note(ssh::event::exec_ended& x) {
    command_log& log = commands_[x.id];
    log.outcome = std::move(x.outcome);
    log.streamed_at_end = log.streamed_out.size() + log.streamed_err.size();
  }

  void note(ssh::event::channel_closed x) { commands_[x.id].closed = true; }

  void note(ssh::event::forwarded& x) { streams[x.id] = std::move(x.stream); }

  void note(ssh::event::forward_refused& x) { streams_refused[x.id] = std::move(x.reason); }

  void note(ssh::event::forward_closed x) { streams_closed.insert(x.id); }

  void note(ssh::event::lost& x) { lost = std::move(x.reason); }

  std::shared_ptr<bell> bell_ = std::make_shared<bell>();
  std::unique_ptr<ssh::connection> connection_;
  bool authenticated_ = false;
  std::map<ssh::exec_id, command_log> commands_;
};

} // namespace sshexec::test
