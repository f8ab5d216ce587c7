#pragma once

#include "sshexec/actors/services/credentials.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/known_hosts.hpp"
#include "sshexec/ssh/login.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/timestamp.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The small services that supervisors ask, each an actor that may block on a thread of its own.
/// Errors are of category "sshexec"; their `failure` holds a message only.
namespace sshexec {

using resolve_atom = caf::atom_constant<caf::atom("resolve")>;
using load_atom = caf::atom_constant<caf::atom("load")>;
using look_up_atom = caf::atom_constant<caf::atom("lookup")>;
using remember_atom = caf::atom_constant<caf::atom("remember")>;
using admit_atom = caf::atom_constant<caf::atom("admit")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;

/// One line of the journal: a request and how it ended.
struct execution_record {
  caf::timestamp time;
  sshexec::machine machine;
  std::string command_line;
  /// `none` for a command that ran to its end.
  error_code outcome = error_code::none;
  /// The error's message, empty for a command that ran to its end.
  std::string message;
  std::int32_t exit_code = 0;
  std::string exit_signal;
  caf::timespan duration{0};
  std::uint32_t attempts = 0;
  bool reused_connection = false;
};

using resolver_actor = caf::typed_actor<
  /// All addresses of a host name and port, to be tried in this order.
  caf::replies_to<resolve_atom, std::string, std::uint16_t>::with<std::vector<ssh::address>>>;

/// A hub may have one of its own (`executor_services`). It is asked for each attempt to connect,
/// and says by `changed_atom` to the executor that it would answer differently now. It may block
/// only if it has a thread of its own.
using credential_store = caf::typed_actor<
  /// How to log in to a machine.
  caf::replies_to<load_atom, machine>::with<credentials>>;

using key_ring_actor = caf::typed_actor<
  /// The keys to offer to a machine, and the agents to ask; never none of both.
  caf::replies_to<load_atom, machine>::with<ssh::login>,
  /// Credentials changed: keeps none in memory.
  caf::reacts_to<changed_atom>>;

/// A hub may have one of its own as well, which blocks under the same condition.
using host_key_store = caf::typed_actor<
  /// What is on record for a host name and port.
  caf::replies_to<look_up_atom, std::string, std::uint16_t>::with<ssh::known_keys>,
  /// Records a key of a host that has none, and answers with that key once it is safely stored;
  /// fails with `host_key_error` when another one was recorded meanwhile.
  caf::replies_to<remember_atom, std::string, std::uint16_t, ssh::host_key>::with<ssh::host_key>>;

using connect_gate_actor = caf::typed_actor<
  /// The sender wants to connect to the target of this name. Answered when it may; whatever place
  /// or request it had before is given back.
  caf::reacts_to<admit_atom, std::string>,
  /// The sender needs its place no more, or takes back its request for one.
  caf::reacts_to<done_atom>>;

using journal_actor = caf::typed_actor<caf::reacts_to<execution_record>>;

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::credentials)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::execution_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::host_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::known_keys)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::login)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<sshexec::ssh::address>)
