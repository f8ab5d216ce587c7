#pragma once

#include "sshexec/actors/executor.hpp"
#include "sshexec/actors/remote/connect_executor.hpp"
#include "sshexec/actors/remote/networking.hpp"
#include "sshexec/actors/remote/publish_executor.hpp"
#include "sshexec/app/authority/authority.hpp"
#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A hub and its clients, each an actor system of its own, over real sockets on loopback.
namespace sshexec::test {

struct network_config : caf::actor_system_config {
  explicit network_config(caf::timespan heartbeat = std::chrono::seconds{5},
                          caf::timespan timeout = std::chrono::seconds{30}) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2);
    register_messages(*this);
    configure_networking(*this);
    set("middleman.heartbeat-interval", heartbeat);
    set("middleman.connection-timeout", timeout);
  }
};

/// How a request ended.
struct answer {
  caf::expected<command_result> outcome{caf::sec::none};

  [[nodiscard]] bool failed_with(error_code code) const {
    return !outcome && is(outcome.error(), code);
  }

  [[nodiscard]] failure what() const { return outcome ? failure{} : to_failure(outcome.error()); }
};

inline command make_command(std::string line, std::string id = {}) {
  command result;
  result.line = std::move(line);
  result.id = std::move(id);
  return result;
}

/// Runs a command and waits for its end.
inline answer ask(caf::actor_system& system, const executor_actor& executor, const machine& target,
                  command what) {
  caf::scoped_actor self{system};
  answer result;
  self->request(executor, caf::infinite, execute_atom_v, target, std::move(what))
    .receive([&](command_result& x) { result.outcome = std::move(x); },
             [&](caf::error& x) { result.outcome = std::move(x); });
  return result;
}

/// How many commands any actor of this system cancels by their id.
inline std::uint64_t cancel(caf::actor_system& system, const executor_actor& executor,
                            const std::string& id) {
  caf::scoped_actor self{system};
  std::uint64_t result = 0;
  self->request(executor, caf::infinite, cancel_atom_v, id)
    .receive([&](std::uint64_t count) { result = count; },
             [&](const caf::error& x) { throw std::runtime_error(system.render(x)); });
  return result;
}

/// What a hub told, such as about those that it turned away.
class notes {
public:
  void add(const std::string& text) {
    const std::lock_guard guard{mutex_};
    texts_.push_back(text);
    changed_.notify_all();
  }

  /// Waits until one tells this.
  bool wait_for(const std::string& part) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, std::chrono::seconds{60}, [&] {
      return std::any_of(texts_.begin(), texts_.end(),
                         [&](const std::string& x) { return x.find(part) != std::string::npos; });
    });
  }

  [[nodiscard]] std::size_t count() {
    const std::lock_guard guard{mutex_};
    return texts_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
};

/// An actor system whose executor is published.
class hub_node {
public:
  hub_node(const testing::temporary_directory& directory, publish_settings wanted,
           settings config = {}) {
    config.known_hosts_file = directory.path() / "known_hosts";
    config.journal = directory.path() / "journal";
    config.retry_delays = {};
    auto spawned = spawn_executor(system, config);
    if (!spawned)
      throw std::runtime_error(system.render(spawned.error()));
    executor = std::move(*spawned);
    wanted.on_refused = [this](const std::string& text) { refused.add(text); };
    wanted.on_notice = [this](const std::string& text) { notices.add(text); };
    auto published = publish_executor(system, executor, std::move(wanted));
    if (!published) {
      shut_down();
      throw std::runtime_error(system.render(published.error()));
    }
    port = *published;
  }

  hub_node(const hub_node&) = delete;
  hub_node& operator=(const hub_node&) = delete;

  ~hub_node() { shut_down(); }

  /// Ends the executor, and waits until the journal is complete.
  void shut_down() {
    caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
    system.await_all_actors_done();
  }

  notes refused;
  notes notices;
  network_config config;
  caf::actor_system system{config};
  executor_actor executor;
  std::uint16_t port = 0;
};

/// An actor system with a link to a hub.
class client_node {
public:
  explicit client_node(connect_settings wanted, caf::timespan heartbeat = std::chrono::seconds{5},
                       caf::timespan timeout = std::chrono::seconds{30})
    : config(heartbeat, timeout) {
    auto spawned = connect_executor(system, std::move(wanted));
    if (!spawned)
      throw std::runtime_error(system.render(spawned.error()));
    executor = std::move(*spawned);
  }

  client_node(const client_node&) = delete;
  client_node& operator=(const client_node&) = delete;

  ~client_node() { shut_down(); }

  void shut_down() { caf::anon_send_exit(executor, caf::exit_reason::user_shutdown); }

  answer run(const machine& target, command what) {
    return ask(system, executor, target, std::move(what));
  }

  answer run(const machine& target, std::string line) {
    return run(target, make_command(std::move(line)));
  }

  /// Asks again as long as there is no connection to the hub.
  bool run_until_it_works(const machine& target, const std::string& line) {
    caf::scoped_actor self{system};
    for (;;) {
      const answer last = run(target, line);
      if (!last.failed_with(error_code::connection_error))
        return static_cast<bool>(last.outcome);
      // Between two attempts of the link.
      self->receive(caf::after(std::chrono::milliseconds{10}) >> [] {});
    }
  }

  network_config config;
  caf::actor_system system{config};
  executor_actor executor;
};

inline machine machine_of(const testing::scripted_server& server) {
  machine result;
  result.hostname = server.host();
  result.port = server.port();
  result.username = "anyone";
  result.identity_file = server.client_key_file();
  return result;
}

/// An SSH server, certificates, and what else both sides need.
struct stage {
  testing::temporary_directory directory;
  testing::scripted_server server;
  app::authority certificates{directory.path() / "tls"};
  tls_files hub_files = certificates.issue("hub", tls_role::server);
  tls_files client_files = certificates.issue("client", tls_role::client);
  machine target = machine_of(server);

  [[nodiscard]] publish_settings secured() const {
    publish_settings result;
    result.tls = hub_files;
    return result;
  }

  [[nodiscard]] static publish_settings in_the_clear() {
    publish_settings result;
    result.plain = true;
    return result;
  }

  [[nodiscard]] connect_settings to(const hub_node& hub) const {
    connect_settings result;
    // Only a failing test waits so long.
    result.connect_timeout = std::chrono::minutes{1};
    result.hub.port = hub.port;
    result.tls = client_files;
    result.first_delay = std::chrono::milliseconds{10};
    result.last_delay = std::chrono::milliseconds{100};
    return result;
  }

  [[nodiscard]] connect_settings plainly_to(const hub_node& hub) const {
    connect_settings result = to(hub);
    result.plain = true;
    return result;
  }
};

} // namespace sshexec::test
