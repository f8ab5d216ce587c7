#pragma once

#include "sshexec/actors/services/services.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/ciphers.hpp"
#include "sshexec/ssh/integrity_check.hpp"
#include "sshexec/ssh/login.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// The services that supervisors ask and nobody else knows. Errors are of category "sshexec"; their
/// `failure` holds a message only.
namespace sshexec {

using resolve_atom = caf::atom_constant<caf::atom("resolve")>;
using admit_atom = caf::atom_constant<caf::atom("admit")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using check_atom = caf::atom_constant<caf::atom("check")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;

using resolver_actor = caf::typed_actor<
  /// All addresses of a host name and port, to be tried in this order.
  caf::replies_to<resolve_atom, std::string, std::uint16_t>::with<std::vector<ssh::address>>>;

using key_ring_actor = caf::typed_actor<
  /// The keys to offer to a machine, the agents to ask, and the password; never none of them.
  caf::replies_to<load_atom, machine>::with<ssh::login>,
  /// Credentials changed: keeps none in memory.
  caf::reacts_to<changed_atom>>;

using cipher_check_actor = caf::typed_actor<
  /// The ciphers that must not be offered; never all of them.
  caf::replies_to<check_atom>::with<ssh::cipher_families>>;

using connect_gate_actor = caf::typed_actor<
  /// The sender wants to connect to the target of this name. Answered when it may; whatever place
  /// or request it had before is given back.
  caf::reacts_to<admit_atom, std::string>,
  /// The sender needs its place no more, or takes back its request for one.
  caf::reacts_to<done_atom>>;

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::cipher_families)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::integrity_verdict)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::login)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<sshexec::ssh::address>)
