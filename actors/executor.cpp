#include "sshexec/actors/executor.hpp"

#include "sshexec/actors/execution_journal.hpp"
#include "sshexec/actors/file_credential_store.hpp"
#include "sshexec/actors/file_host_key_store.hpp"
#include "sshexec/actors/pool_registry.hpp"
#include "sshexec/actors/resolver.hpp"
#include "sshexec/actors/service_error.hpp"
#include "sshexec/ssh/poller.hpp"

#include <caf/send.hpp>
#include <caf/spawn_options.hpp>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace sshexec {

namespace {

/// The user this process runs as; empty when the system has no name for it.
std::string current_user() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : "";
}

/// Supervisors and their callers run on the threads that watch sockets, so there are as many as CAF
/// has by default for the like.
std::size_t socket_threads() {
  return std::max(std::thread::hardware_concurrency(), 4U);
}

caf::expected<std::shared_ptr<ssh::poller>> make_poller() {
  try {
    return std::make_shared<ssh::poller>(socket_threads());
  } catch (const std::system_error& reason) {
    return make_service_error(error_code::configuration_error,
                              std::string{"Cannot watch sockets: "} + reason.what());
  }
}

} // namespace

caf::expected<executor_actor> spawn_executor(caf::actor_system& system, settings config) {
  if (auto complaint = validate(config))
    return complaint;
  auto journal = spawn_journal(system, config);
  if (!journal)
    return std::move(journal.error());
  auto executor = spawn_executor(system, std::move(config), *journal);
  if (!executor)
    caf::anon_send_exit(*journal, caf::exit_reason::user_shutdown);
  return executor;
}

caf::expected<executor_actor> spawn_executor(caf::actor_system& system, settings config,
                                             journal_actor journal) {
  if (auto complaint = validate(config))
    return complaint;
  if (config.user.empty())
    config.user = current_user();
  auto poller = make_poller();
  if (!poller)
    return std::move(poller.error());
  supervisor_services services;
  services.resolver = system.spawn(resolver, ssh::resolve, default_max_look_ups);
  services.credentials = system.spawn<caf::detached>(file_credential_store, config.identity_file,
                                                     config.passphrase_file);
  services.host_keys = system.spawn<caf::detached>(file_host_key_store, config.known_hosts_file);
  services.journal = std::move(journal);
  services.connect = ssh::make_connection_factory(std::move(*poller));
  return executor_actor{system.spawn(pool_registry, std::move(config), std::move(services))};
}

} // namespace sshexec
