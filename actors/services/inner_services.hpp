#pragma once

#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/services/connection_plan.hpp"
#include "sshexec/actors/services/services.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/carried_stream.hpp"
#include "sshexec/ssh/ciphers.hpp"
#include "sshexec/ssh/integrity_check.hpp"
#include "sshexec/ssh/login.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The services that supervisors ask and nobody else knows. Errors are of category "sshexec"; their
/// `failure` holds a message only.
namespace sshexec {

using resolve_atom = caf::atom_constant<caf::atom("resolve")>;
using admit_atom = caf::atom_constant<caf::atom("admit")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using check_atom = caf::atom_constant<caf::atom("check")>;
using plan_atom = caf::atom_constant<caf::atom("plan")>;
using start_program_atom = caf::atom_constant<caf::atom("startprog")>;

/// A stream to a machine that somebody carries.
using tunnel = std::shared_ptr<ssh::carried_stream>;

/// How is this machine reached?
struct plan_request {
  machine target;
  /// Options of a command line are not for it.
  bool is_jump = false;
  time_point give_up_at;
};

/// A program is to be started that carries a stream.
struct proxy_request {
  std::string line;
  time_point give_up_at;
};

using connection_planner_actor = caf::typed_actor<
  /// Fails with `configuration_error` if what is said of the machine cannot be honoured.
  caf::replies_to<plan_atom, plan_request>::with<connection_plan>>;

using program_starter_actor = caf::typed_actor<
  /// The program ends with its stream.
  caf::replies_to<start_program_atom, proxy_request>::with<tunnel>>;

using resolver_actor = caf::typed_actor<
  /// All addresses of a host name and port, to be tried in this order.
  caf::replies_to<resolve_atom, std::string, std::uint16_t>::with<std::vector<ssh::address>>>;

using key_ring_actor = caf::typed_actor<
  /// The keys to offer to a machine, the agents to ask, and the password; never none of them.
  caf::replies_to<load_atom, machine>::with<ssh::login>,
  /// The same as the wishes have it.
  caf::replies_to<load_atom, machine, login_wishes>::with<ssh::login>,
  /// Credentials changed: keeps none in memory.
  caf::reacts_to<changed_atom>>;

/// A store that also asks other files than its own.
using host_key_files_actor
  = host_key_store::extend<caf::replies_to<look_up_atom, std::string, std::uint16_t,
                                           known_hosts_choice>::with<ssh::known_keys>,
                           caf::replies_to<remember_atom, std::string, std::uint16_t, ssh::host_key,
                                           known_hosts_choice>::with<ssh::host_key>>;

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

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::connection_plan)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::known_hosts_choice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::login_wishes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::plan_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::proxy_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::tunnel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::cipher_families)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::integrity_verdict)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::login)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<sshexec::ssh::address>)
