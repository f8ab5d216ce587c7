#include "serve.hpp"

#include "readiness.hpp"
#include "report.hpp"
#include "sshexec/actors/execution_journal.hpp"
#include "sshexec/actors/executor.hpp"
#include "sshexec/actors/router.hpp"
#include "sshexec/remote/connect_node.hpp"
#include "sshexec/remote/networking.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <utility>

namespace sshexec::app {

namespace {

struct system_config : caf::actor_system_config {
  explicit system_config(const caf::settings& wanted) {
    // Wakes up sooner than stealing does, and sleeps when there is nothing to do.
    set("scheduler.policy", caf::atom("sharing"));
    register_messages(*this);
    configure_networking(*this);
    for (const auto& [group, values] : wanted)
      for (const auto& [name, value] : caf::get<caf::settings>(values))
        set(fmt::format("{}.{}", group, name), value);
  }
};

/// Keeps the signals of a daemon for `next`; threads that are made later inherit that.
class signals {
public:
  signals() {
    sigemptyset(&set_);
    for (const int each : {SIGTERM, SIGINT, SIGHUP})
      sigaddset(&set_, each);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  /// Waits for one.
  [[nodiscard]] int next() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

  /// From here on they end the process.
  void release() const {
    // A reopened journal is no reason to end while commands are.
    std::signal(SIGHUP, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

private:
  sigset_t set_{};
};

struct service {
  execution_journal_actor journal;
  executor_actor executor;
  network_address address;
};

/// A router with its nodes, which end with it.
caf::expected<executor_actor> start_router(caf::actor_system& system, const serve_request& request,
                                           const journal_actor& journal) {
  auto router = spawn_router(system, request.executor, journal);
  if (!router)
    return std::move(router.error());
  for (const connect_settings& node : request.nodes) {
    if (auto link = connect_node(system, *router, node); !link) {
      caf::anon_send_exit(*router, caf::exit_reason::user_shutdown);
      return std::move(link.error());
    }
  }
  return executor_actor{*router};
}

caf::expected<service> start(caf::actor_system& system, const serve_request& request) {
  service result;
  auto journal = spawn_journal(system, request.executor);
  if (!journal)
    return std::move(journal.error());
  result.journal = std::move(*journal);
  auto executor = request.nodes.empty() ? spawn_executor(system, request.executor, result.journal)
                                        : start_router(system, request, result.journal);
  if (!executor) {
    caf::anon_send_exit(result.journal, caf::exit_reason::user_shutdown);
    return std::move(executor.error());
  }
  result.executor = std::move(*executor);
  publish_settings published = request.published;
  published.on_refused = [](const std::string& who) { complain("refused " + who); };
  auto port = publish_executor(system, result.executor, published);
  if (!port) {
    caf::anon_send_exit(result.executor, caf::exit_reason::user_shutdown);
    return std::move(port.error());
  }
  result.address = {request.published.address.host, *port};
  return result;
}

} // namespace

int serve(const serve_request& request) {
  const signals signals;
  system_config config{request.system};
  caf::actor_system system{config};
  const auto started = start(system, request);
  if (!started) {
    complain(to_failure(started.error()).message);
    return exit_error;
  }
  fmt::print("sshexec: listening on {}{}\n", to_string(started->address),
             request.published.plain ? " without TLS" : "");
  std::fflush(stdout);
  notify_manager("READY=1");
  while (signals.next() == SIGHUP)
    caf::anon_send(started->journal, reopen_atom::value);
  signals.release();
  notify_manager("STOPPING=1");
  caf::anon_send_exit(started->executor, caf::exit_reason::user_shutdown);
  return 0;
}

} // namespace sshexec::app
