#pragma once

#include "sshexec/actors/services/execution_journal.hpp"
#include "sshexec/actors/services/services.hpp"
#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <utility>

namespace sshexec {

/// Services that a hub has of its own, in place of the executor's; those left empty stay the
/// executor's. The executor does not end them: one may serve several executors. Each runs in the
/// executor's process.
struct executor_services {
  /// Instead of key files (settings `identity_file`, `passphrase_file`, `identity_agent`).
  credential_store credentials;
  /// Instead of known_hosts files (setting `known_hosts_file`).
  host_key_store host_keys;
  /// Instead of a log (settings `journal…`).
  journal_actor journal;
};

/// Starts an executor with services of its own: as many threads that watch sockets as there are
/// cores, four at least, and one for each service that may block on files. Several may live in one
/// system. Callers, consumers, observers and services of a hub may run on the threads that watch
/// sockets, so they must not block there; one that blocks is to be spawned with `caf::detached`.
///
///     auto executor = sshexec::spawn_executor(system, settings);
///     self->request(*executor, caf::infinite, sshexec::execute_atom_v, machine, command)
///
/// An exit message ends it: every open request is answered with `shutting_down`, every connection
/// closed. Dropping the handle does not end it, and an `actor_system` waits in its destructor for
/// one that lives. May be called from any thread; waits for nothing but the journal's file. Fails
/// with `configuration_error` when that cannot be written or a setting makes no sense (`validate`).
caf::expected<executor_actor> spawn_executor(caf::actor_system& system, settings config,
                                             executor_services of_hub = {});

/// Does the same with a journal that was made before; the executor ends it together with itself.
caf::expected<executor_actor> spawn_executor(caf::actor_system& system, settings config,
                                             const execution_journal_actor& journal,
                                             executor_services of_hub = {});

/// Whether the files can be read that the settings name for all machines: key, passphrase, and
/// OpenSSH's configuration. A hub
/// that uses them asks before it says that it serves, so that nobody meets what is missing at the
/// first command. The error is a `configuration_error` that names the file. Not for use within an
/// actor, because a file system may take its time.
caf::error check_files(const settings& config);

/// Owns an executor: ends it, and waits until it has ended, before the actor system of a program
/// waits for it. Not for use within an actor, because it blocks, up to the setting `drain_timeout`.
class scoped_executor {
public:
  scoped_executor(caf::actor_system& system, executor_actor owned)
    : system_(&system), executor_(std::move(owned)) {}

  scoped_executor(const scoped_executor&) = delete;
  scoped_executor& operator=(const scoped_executor&) = delete;

  ~scoped_executor();

  const executor_actor& operator*() const { return executor_; }

private:
  caf::actor_system* system_;
  executor_actor executor_;
};

} // namespace sshexec
