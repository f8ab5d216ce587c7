#pragma once

#include "sshexec/actors/executor.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

/// An executor as a hub embeds it: real threads, real time, real sockets.
namespace sshexec::test {

struct hub_config : caf::actor_system_config {
  hub_config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-throughput", 30);
    register_messages(*this);
  }
};

/// How a request ended.
struct answer {
  caf::expected<command_result> outcome{caf::sec::none};

  [[nodiscard]] bool succeeded() const { return static_cast<bool>(outcome); }

  const command_result* operator->() const { return &*outcome; }

  [[nodiscard]] bool failed_with(error_code code) const {
    return !outcome && is(outcome.error(), code);
  }

  [[nodiscard]] failure what() const { return outcome ? failure{} : to_failure(outcome.error()); }
};

inline command make_command(std::string line) {
  command result;
  result.line = std::move(line);
  return result;
}

/// Retries without long delays, for tests of what happens and not of when. All bounds are so long
/// that only a failing test meets them, however slow the machine.
inline settings quick_settings() {
  using namespace std::chrono_literals;
  settings result;
  result.retry_delays = {10ms, 20ms, 40ms};
  result.connect_timeout = 1min;
  result.command_timeout = 2min;
  result.kill_grace = 20s;
  return result;
}

/// Where only what costs no attempt can be done again.
inline settings without_retries(settings result = quick_settings()) {
  result.retry_delays.clear();
  return result;
}

/// An actor system with one executor that keeps its files in a directory of its own.
class hub {
public:
  using spawn_function
    = std::function<caf::expected<executor_actor>(caf::actor_system&, const settings&)>;

  static caf::expected<executor_actor> spawn_plain(caf::actor_system& system,
                                                   const settings& config) {
    return spawn_executor(system, config);
  }

  explicit hub(settings wanted = quick_settings(), const spawn_function& spawn = spawn_plain)
    : config_(std::move(wanted)) {
    if (config_.known_hosts_file.empty())
      config_.known_hosts_file = directory.path() / "known_hosts";
    config_.journal = directory.path() / "journal";
    auto spawned = spawn(system, config_);
    if (!spawned)
      throw std::runtime_error(system.render(spawned.error()));
    executor = std::move(*spawned);
  }

  ~hub() { shut_down(); }

  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;

  /// Runs all commands at once and waits for all their answers. Tells when the executor has handed
  /// all of them on to the machine's supervisor.
  std::vector<answer> run(
    const machine& target, const std::vector<command>& commands,
    const std::function<void()>& handed_on = [] {}) {
    caf::scoped_actor self{system};
    using handle
      = decltype(self->request(executor, caf::infinite, execute_atom_v, target, commands.front()));
    std::vector<handle> requests;
    for (const command& what : commands)
      requests.push_back(self->request(executor, caf::infinite, execute_atom_v, target, what));
    // Answered by the registry itself, which takes requests in their order.
    self->request(executor, caf::infinite, input_atom_v, target, std::string{}, std::string{}, true)
      .receive([] {}, [](const caf::error&) {});
    handed_on();
    std::vector<answer> answers(commands.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].receive(
        [&, i](command_result& result) { answers[i].outcome = std::move(result); },
        [&, i](caf::error& error) { answers[i].outcome = std::move(error); });
    }
    return answers;
  }

  answer run(const machine& target, command what) {
    return run(target, std::vector<command>{std::move(what)}).front();
  }

  answer run(const machine& target, std::string line) {
    return run(target, make_command(std::move(line)));
  }

  /// Ends the executor and waits until all its actors are gone, so that the journal is complete.
  void shut_down() {
    if (!executor)
      return;
    caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
    executor = nullptr;
    system.await_all_actors_done();
  }

  /// The journal's lines, after `shut_down`.
  [[nodiscard]] std::vector<std::string> journal() const {
    std::ifstream file{directory.path() / "journal"};
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
      lines.push_back(line);
    return lines;
  }

  testing::temporary_directory directory;
  hub_config system_config;
  caf::actor_system system{system_config};
  executor_actor executor;

private:
  settings config_;
};

inline machine machine_of(const testing::scripted_server& server) {
  machine result;
  result.hostname = server.host();
  result.port = server.port();
  result.username = "anyone";
  result.identity_file = server.client_key_file();
  return result;
}

inline machine machine_of(const testing::real_server& server) {
  machine result;
  result.hostname = server.host();
  result.port = server.port();
  result.username = server.user();
  result.identity_file = server.identity_file();
  return result;
}

} // namespace sshexec::test
