#include "sshexec/app/serve/serve.hpp"

#include "sshexec/actors/cluster/router.hpp"
#include "sshexec/actors/executor.hpp"
#include "sshexec/actors/remote/connect_node.hpp"
#include "sshexec/actors/remote/networking.hpp"
#include "sshexec/actors/services/execution_journal.hpp"
#include "sshexec/app/configuration.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/serve/readiness.hpp"
#include "sshexec/app/signal_watcher.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

namespace sshexec::app {

namespace {

struct system_config : caf::actor_system_config {
  explicit system_config(const caf::settings& wanted) {
    // Wakes up sooner than stealing does, and sleeps when there is nothing to do.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-throughput", max_throughput);
    register_messages(*this);
    configure_networking(*this);
    apply_system_options(*this, wanted);
  }
};

/// Tells who was turned away, and of certificates. Who is let in must not wait for whoever reads
/// stderr: what there is no room for is counted, and told with the next one.
class notice_log {
public:
  void tell(const std::string& notice) {
    const std::lock_guard guard{mutex_};
    const std::string more = fmt::format(" (and {} others before)", untold_);
    if (complain_at_once(notice + (untold_ > 0 ? more : "")))
      untold_ = 0;
    else
      ++untold_;
  }

private:
  std::mutex mutex_;
  std::size_t untold_ = 0;
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
  // A router's nodes have the keys.
  if (request.nodes.empty()) {
    if (auto complaint = check_files(request.executor))
      return complaint;
  }
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
  const auto log = std::make_shared<notice_log>();
  published.on_refused = [log](const std::string& who) { log->tell("refused " + who); };
  published.on_notice = [log](const std::string& notice) { log->tell(notice); };
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
  // Keys and passphrases are in memory: no core dump shows them, and no other process of this user.
  ::prctl(PR_SET_DUMPABLE, 0);
  stop_signals told;
  // HUP has a meaning of its own here, whoever started this.
  signal_watcher signals{signal_watcher::ignored::are_watched};
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
  std::atomic<bool> stopping = false;
  signals.start([&](int signal) {
    if (signal == SIGHUP)
      return caf::anon_send(started->journal, reopen_atom_v);
    const auto meaning = told.of(signal);
    if (meaning == stop_signals::meaning::stop_at_once)
      ::_exit(exit_code_of_signal(signal));
    if (meaning == stop_signals::meaning::echo)
      return;
    stopping = true;
    notify_manager("STOPPING=1");
    caf::anon_send_exit(started->executor, caf::exit_reason::user_shutdown);
  });
  caf::scoped_actor self{system};
  self->wait_for(started->executor);
  // No signal must be on its way to actors when the system ends, which may take its time.
  signals.stop();
  signals.start([&told](int signal) {
    if (signal != SIGHUP && told.of(signal) == stop_signals::meaning::stop_at_once)
      ::_exit(exit_code_of_signal(signal));
  });
  if (stopping)
    return 0;
  complain("the executor ended by itself");
  return exit_error;
}

} // namespace sshexec::app
