#include "sshexec/actors/executor.hpp"

#include "sshexec/actors/pool/connect_gate.hpp"
#include "sshexec/actors/pool/pool_registry.hpp"
#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/runtime/spawn_poller.hpp"
#include "sshexec/actors/runtime/stderr_line.hpp"
#include "sshexec/actors/services/cipher_check.hpp"
#include "sshexec/actors/services/connection_planner.hpp"
#include "sshexec/actors/services/execution_journal.hpp"
#include "sshexec/actors/services/file_credential_store.hpp"
#include "sshexec/actors/services/file_host_key_store.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/actors/services/key_ring.hpp"
#include "sshexec/actors/services/program_starter.hpp"
#include "sshexec/actors/services/resolver.hpp"
#include "sshexec/ssh/config/config_values.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/spawn_options.hpp>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
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

/// What keeps a file from being read. It is not opened: whoever writes to a pipe would take that
/// for its reader.
std::error_code obstacle_to_reading(const std::filesystem::path& file) {
  if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0)
    return {errno, std::system_category()};
  std::error_code unknown;
  return std::filesystem::is_directory(file, unknown) ? make_error_code(std::errc::is_a_directory)
                                                      : std::error_code{};
}

/// Tells the administrator something that is about no request.
void tell(const execution_journal_actor& journal, const std::string& text) {
  print_to_stderr(text);
  if (journal)
    caf::anon_send(journal, notice_atom_v, text);
}

/// Starts an executor that ends `owned` with itself, and has a journal of its own or a hub's.
caf::expected<executor_actor> start(caf::actor_system& system, settings config,
                                    executor_services given, const execution_journal_actor& journal,
                                    std::vector<caf::actor> owned) {
  if (config.user.empty())
    config.user = current_user();
  auto poller = spawn_poller(system);
  if (!poller)
    return std::move(poller.error());
  const auto own = [&owned](const auto& service) {
    owned.push_back(caf::actor_cast<caf::actor>(service));
    return service;
  };
  if (!given.credentials)
    given.credentials = own(system.spawn(file_credential_store, config.identity_file,
                                         config.passphrase_file, config.identity_agent,
                                         login_password{config.password, config.password_file}));
  supervisor_services services;
  if (!given.host_keys)
    given.host_keys = services.host_key_files
      = own(system.spawn<caf::detached>(file_host_key_store, config.known_hosts_file));
  if (!config.ssh_config.empty()) {
    services.planner = own(system.spawn<caf::detached>(
      connection_planner, planner_settings{config, ssh::system_environment()}));
    services.programs = own(system.spawn<caf::detached>(program_starter));
  }
  services.ticks = spawn_tick_relay(system);
  services.resolver
    = own(system.spawn(resolver, resolver_settings{.patience = config.connect_timeout}));
  services.keys = own(system.spawn<caf::detached>(
    key_ring, std::move(given.credentials), key_ring_settings{.patience = config.connect_timeout}));
  services.host_keys = std::move(given.host_keys);
  services.ciphers
    = own(system.spawn(cipher_check, cipher_check_settings{.tell = [journal](const auto& text) {
                         tell(journal, text);
                       }}));
  services.gate = own(system.spawn(connect_gate, config.max_connects_per_host));
  services.journal = std::move(given.journal);
  services.connect = ssh::make_connection_factory(std::move(*poller));
  return executor_actor{
    system.spawn(pool_registry, std::move(config), std::move(services), std::move(owned))};
}

} // namespace

caf::expected<executor_actor> spawn_executor(caf::actor_system& system, settings config,
                                             executor_services of_hub) {
  if (auto complaint = validate(config))
    return complaint;
  if (of_hub.journal)
    return start(system, std::move(config), std::move(of_hub), {}, {});
  auto journal = spawn_journal(system, config);
  if (!journal)
    return std::move(journal.error());
  auto executor = spawn_executor(system, std::move(config), *journal, std::move(of_hub));
  if (!executor && *journal)
    caf::anon_send_exit(*journal, caf::exit_reason::user_shutdown);
  return executor;
}

caf::expected<executor_actor> spawn_executor(caf::actor_system& system, settings config,
                                             const execution_journal_actor& journal,
                                             executor_services of_hub) {
  if (auto complaint = validate(config))
    return complaint;
  of_hub.journal = journal;
  // The journal "none" is nobody.
  std::vector<caf::actor> owned;
  if (journal)
    owned.push_back(caf::actor_cast<caf::actor>(journal));
  return start(system, std::move(config), std::move(of_hub), journal, std::move(owned));
}

caf::error check_files(const settings& config) {
  const bool names_file
    = config.ssh_config != usual_ssh_config && !ssh::is_same_word(config.ssh_config, "none");
  for (const std::string& name :
       {config.identity_file, config.passphrase_file, config.password_file,
        names_file ? config.ssh_config : std::string{}}) {
    if (name.empty())
      continue;
    const auto path = expand_home(name);
    if (const auto why = obstacle_to_reading(path))
      return make_service_error(error_code::configuration_error,
                                path.string() + " cannot be read: " + why.message());
  }
  return caf::none;
}

scoped_executor::~scoped_executor() {
  caf::scoped_actor self{*system_};
  self->send_exit(executor_, caf::exit_reason::user_shutdown);
  self->wait_for(executor_);
}

} // namespace sshexec
